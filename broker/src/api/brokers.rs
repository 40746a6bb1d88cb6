//! Brokers as clients of one listener see them.

use barnabas_raft::{BrokerEndpoint, BrokerId, BrokerImage, MetadataImage};

/// The brokers that a client of `listener` can use, ordered by id.
pub fn alive<'a>(
    image: &'a MetadataImage,
    listener: &'a str,
) -> impl Iterator<Item = (&'a BrokerImage, &'a BrokerEndpoint)> {
    let alive = image.brokers().filter(|broker| !broker.fenced);
    alive.filter_map(move |broker| Some((broker, broker.endpoint(listener)?)))
}

/// Whether a client of `listener` can use the broker.
#[must_use]
pub fn is_alive(image: &MetadataImage, listener: &str, id: BrokerId) -> bool {
    image.broker(id).is_some_and(|broker| !broker.fenced && broker.endpoint(listener).is_some())
}

/// Whom clients are told to send administrative requests to: this broker, which forwards them, else any that is
/// alive; -1 when none is.
#[must_use]
pub fn controller(image: &MetadataImage, listener: &str, this: BrokerId) -> i32 {
    if is_alive(image, listener, this) {
        return this.0;
    }
    alive(image, listener).next().map_or(-1, |(broker, _)| broker.id.0)
}
