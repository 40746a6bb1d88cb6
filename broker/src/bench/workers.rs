//! One thread a connection, and what all of them did together.

use std::sync::Arc;
use std::thread;

use super::tally::Tally;
use super::topic::{self, Led};
use super::{BenchError, Bootstrap};

/// A connection's thread keeps little on its stack, and there may be thousands of them.
const STACK_BYTES: usize = 256 << 10;

/// Runs every job in a thread of its own and adds up what they did; of several failures the first job's counts.
pub(super) fn run<Job>(jobs: Vec<Job>) -> Result<Tally, BenchError>
where
    Job: FnOnce() -> Result<Tally, BenchError> + Send,
{
    thread::scope(|scope| {
        let start = |job| thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, job);
        let threads: Vec<_> = jobs.into_iter().map(start).collect::<Result<_, _>>().map_err(BenchError::Thread)?;
        let mut all = Tally::default();
        for thread in threads {
            all.add(&thread.join().map_err(|_| BenchError::Died)??);
        }
        Ok(all)
    })
}

/// A partition to write to or to read from.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) topic: Arc<str>,
    pub(super) partition: i32,
}

/// The partitions of all topics by the broker that leads them.
#[derive(Clone, Debug, Default)]
pub(super) struct Brokers(Vec<(String, Vec<Target>)>);

impl Brokers {
    pub(super) fn add(&mut self, topic: &str, led: Vec<Led>) {
        let topic: Arc<str> = topic.into();
        for Led { address, partitions } in led {
            let targets = partitions.into_iter().map(|partition| Target { topic: topic.clone(), partition });
            match self.0.iter_mut().find(|(known, _)| *known == address) {
                Some((_, known)) => known.extend(targets),
                None => self.0.push((address, targets.collect())),
            }
        }
    }

    /// The partitions of topics that exist.
    pub(super) fn of(bootstrap: &Bootstrap, topics: &[String], partitions: Option<i32>) -> Result<Self, BenchError> {
        let mut brokers = Self::default();
        for topic in topics {
            brokers.add(topic, topic::led(bootstrap, topic, partitions)?);
        }
        Ok(brokers)
    }

    /// Every partition with its broker's address.
    pub(super) fn targets(&self) -> impl Iterator<Item = (&str, &Target)> {
        self.0.iter().flat_map(|(address, targets)| targets.iter().map(move |target| (address.as_str(), target)))
    }

    /// A share for each of `connections` of them, and for each broker one at least: its address and all its partitions,
    /// of which a connection that shares its broker begins with another one.
    pub(super) fn shares(&self, connections: usize) -> impl Iterator<Item = (&str, &[Target], Share)> {
        let brokers = self.0.len().max(1);
        let connections = connections.max(brokers);
        (0..connections).filter_map(move |number| {
            let (address, targets) = self.0.get(number % brokers)?;
            let of = (connections - number % brokers).div_ceil(brokers);
            Some((address.as_str(), targets.as_slice(), Share { at: number / brokers, of }))
        })
    }
}

/// Which of several connections to the same broker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Share {
    pub(super) at: usize,
    pub(super) of: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn led(address: &str, partitions: &[i32]) -> Led {
        Led { address: address.to_owned(), partitions: partitions.to_vec() }
    }

    #[test]
    fn connections_are_dealt_to_brokers_and_every_broker_has_one() {
        let mut brokers = Brokers::default();
        brokers.add("a", vec![led("one", &[0]), led("two", &[1, 2])]);
        brokers.add("b", vec![led("two", &[0])]);
        let shares: Vec<_> =
            brokers.shares(3).map(|(address, targets, share)| (address, targets.len(), share)).collect();
        let share = |at, of| Share { at, of };
        assert_eq!(shares, [("one", 1, share(0, 2)), ("two", 3, share(0, 1)), ("one", 1, share(1, 2))]);
        assert_eq!(brokers.shares(1).count(), 2);
    }

    #[test]
    fn a_failure_of_one_thread_is_the_failure_of_the_run() {
        let job = |fails: bool| {
            move || if fails { Err(BenchError::NoTopic("gone".to_owned())) } else { Ok(Tally::default()) }
        };
        assert!(matches!(run(vec![job(false), job(true)]), Err(BenchError::NoTopic(_))));
        assert!(run(vec![job(false), job(false)]).is_ok());
    }
}
