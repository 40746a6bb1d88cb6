//! Settings of a subscription to clients' metrics (KIP-714).

settings! {
    /// How often clients push.
    "interval.ms": Int = "300000", cluster_wide;
    /// Which clients push, as selector=pattern; all when empty.
    "match": List = "", cluster_wide;
    /// Prefixes of the metrics that are pushed; all when it is *.
    "metrics": List = "", cluster_wide;
}
