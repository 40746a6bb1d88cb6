//! The one binary: a broker and its command line.

fn main() {}
