//! Fetch sessions (KIP-227).

/// Every fetch session of this broker.
pub struct FetchSessions {
    _private: (),
}
