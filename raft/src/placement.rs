//! Where the replicas of a new topic go. Pure: brokers and a starting point in, assignments out.

use crate::metadata::BrokerId;

/// Spreads `partitions` partitions with `replicas` replicas each over `brokers`, round-robin: leaders follow each
/// other from `start` on, and each lap shifts the followers by one, so that a lost broker's load spreads over the
/// others. `None` when there are fewer brokers than replicas.
#[must_use]
pub fn place(brokers: &[BrokerId], partitions: usize, replicas: usize, start: usize) -> Option<Vec<Vec<BrokerId>>> {
    if replicas == 0 || brokers.len() < replicas {
        return None;
    }
    let assignment = |partition: usize| {
        let leader = start.wrapping_add(partition) % brokers.len();
        let lap = partition / brokers.len();
        (0..replicas).map(|replica| brokers.get(nth(brokers.len(), leader, lap, replica)).copied()).collect()
    };
    (0..partitions).map(assignment).collect()
}

/// The broker of the `replica`-th replica: the leader first, then the others, beginning `lap` further on.
fn nth(brokers: usize, leader: usize, lap: usize, replica: usize) -> usize {
    if replica == 0 {
        return leader;
    }
    let shift = 1 + (lap + replica - 1) % (brokers - 1);
    (leader + shift) % brokers
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn brokers(count: usize) -> Vec<BrokerId> {
        (0..).map(BrokerId).take(count).collect()
    }

    proptest! {
        #[test]
        fn replicas_are_distinct_and_leaders_even(
            count in 1_usize..12, partitions in 0_usize..60, replicas in 1_usize..12, start: usize,
        ) {
            let placed = place(&brokers(count), partitions, replicas, start % 1000);
            prop_assert_eq!(placed.is_some(), replicas <= count);
            let placed = placed.unwrap_or_default();
            let mut led = vec![0_usize; count];
            for replicas_of in &placed {
                prop_assert_eq!(replicas_of.iter().collect::<BTreeSet<_>>().len(), replicas);
                led[usize::try_from(replicas_of[0].0).expect("small")] += 1;
            }
            if !placed.is_empty() {
                let (least, most) = (led.iter().min().expect("some"), led.iter().max().expect("some"));
                prop_assert!(most - least <= 1, "{:?}", led);
            }
        }
    }

    #[test]
    fn followers_shift_at_each_lap() {
        let placed = place(&brokers(3), 6, 2, 0).expect("enough brokers");
        let ids: Vec<Vec<i32>> = placed.iter().map(|replicas| replicas.iter().map(|id| id.0).collect()).collect();
        assert_eq!(ids, [[0, 1], [1, 2], [2, 0], [0, 2], [1, 0], [2, 1]]);
    }

    #[test]
    fn fewer_brokers_than_replicas_is_refused() {
        assert_eq!(place(&brokers(1), 1, 2, 0), None);
        assert_eq!(place(&[], 1, 1, 0), None);
    }
}
