//! The segments of a log, by base offset.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::ids::Offset;
use crate::segment::Segment;

/// All segments; the last one is appended to. Empty until the first append.
#[derive(Default)]
pub(crate) struct Segments {
    by_base: BTreeMap<Offset, Arc<Segment>>,
}

impl Segments {
    pub(crate) fn insert(&mut self, segment: Arc<Segment>) {
        self.by_base.insert(segment.base, segment);
    }

    pub(crate) fn remove(&mut self, base: Offset) -> Option<Arc<Segment>> {
        self.by_base.remove(&base)
    }

    /// The segment that covers `offset`: the last one that starts at or before it.
    pub(crate) fn floor(&self, offset: Offset) -> Option<Arc<Segment>> {
        self.by_base.range(..=offset).next_back().map(|(_, segment)| Arc::clone(segment))
    }

    /// The segment after the one that starts at `base`.
    pub(crate) fn after(&self, base: Offset) -> Option<Arc<Segment>> {
        self.by_base.range(Offset(base.0.saturating_add(1))..).next().map(|(_, segment)| Arc::clone(segment))
    }

    /// The segments that start at or after `base`, in order.
    pub(crate) fn from(&self, base: Offset) -> Vec<Arc<Segment>> {
        self.by_base.range(base..).map(|(_, segment)| Arc::clone(segment)).collect()
    }

    /// All of them, in order.
    pub(crate) fn all(&self) -> Vec<Arc<Segment>> {
        self.by_base.values().cloned().collect()
    }

    pub(crate) fn first(&self) -> Option<&Arc<Segment>> {
        self.by_base.values().next()
    }

    /// The one that is appended to.
    pub(crate) fn active(&self) -> Option<&Arc<Segment>> {
        self.by_base.values().next_back()
    }

    /// The bytes of all.
    pub(crate) fn bytes(&self) -> u64 {
        self.by_base.values().map(|segment| segment.len()).sum()
    }
}
