//! Producer ids, handed out from blocks that the controller reserves.

/// Hands out producer ids.
pub struct ProducerIds {
    _private: (),
}
