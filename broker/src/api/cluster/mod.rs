//! The cluster family of APIs.
