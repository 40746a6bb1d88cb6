//! The data family of APIs.
