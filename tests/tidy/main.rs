//! The house's rules that no compiler checks: who depends on whom, how long a file is, what stays behind the seams, and
//! that documents say what is there.

#![allow(clippy::unwrap_used, reason = "a check that cannot read the repository must fail")]

mod advice;
mod api_heads;
mod architecture;
mod edges;
mod guarantees;
mod links;
mod packaging;
mod settings;
mod sizes;
mod source;
mod words;
