//! What may be wrong with a partition: the same words in `topics health`, `cluster health` and `/v1/health`.

/// Everything that may be wrong, the worst first.
pub(crate) const FINDINGS: [&str; 3] = ["no leader", "below min.insync.replicas", "under-replicated"];

/// What is wrong with a partition that has so many replicas in sync, of which so many are `wanted` where that is known.
#[must_use]
pub(crate) fn finding(
    has_leader: bool,
    in_sync: usize,
    replicas: usize,
    wanted: Option<usize>,
) -> Option<&'static str> {
    let [no_leader, below, behind] = FINDINGS;
    match has_leader {
        false => Some(no_leader),
        true if wanted.is_some_and(|wanted| in_sync < wanted) => Some(below),
        true if in_sync < replicas => Some(behind),
        true => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partition_is_well_with_a_leader_and_all_replicas_in_sync() {
        assert_eq!(finding(true, 2, 2, Some(2)), None);
        assert_eq!(finding(true, 1, 2, Some(1)), Some("under-replicated"));
        assert_eq!(finding(true, 1, 2, Some(2)), Some("below min.insync.replicas"));
        assert_eq!(finding(true, 2, 2, Some(3)), Some("below min.insync.replicas"));
        assert_eq!(finding(false, 2, 2, None), Some("no leader"));
    }
}
