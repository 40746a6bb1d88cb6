//! The topic family of APIs.
