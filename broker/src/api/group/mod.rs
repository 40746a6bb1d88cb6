//! The group family of APIs.
