//! The group coordinator: classic groups and committed offsets.

/// Every group this broker coordinates.
pub struct Groups {
    _private: (),
}
