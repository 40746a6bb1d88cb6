//! Publication: listeners hear of each image in order, on one thread of their own; readers see an image once every
//! listener has returned from it, so that what can be seen can be used.

use std::sync::Arc;

use arc_swap::ArcSwap;
use parking_lot::{Condvar, Mutex};
use tokio::sync::{oneshot, watch};

use crate::metadata::{MetadataDelta, MetadataImage, Touched};

/// Hears of each published image, in order, from one thread. May block for disk work; the next publication waits.
pub trait MetadataListener: Send + Sync {
    /// `image` is now the truth; `delta` says what changed since the last call. At the start it is called once with
    /// everything as created.
    fn publish(&self, delta: &MetadataDelta, image: &Arc<MetadataImage>);
}

/// What waits for the thread. Images that come while it works are merged: one publication covers them all.
#[derive(Default)]
struct Waiting {
    next: Option<(MetadataImage, Touched)>,
    joining: Vec<(Arc<dyn MetadataListener>, oneshot::Sender<()>)>,
    closed: bool,
}

/// The way from applied to published images.
pub(crate) struct Publications {
    waiting: Mutex<Waiting>,
    woken: Condvar,
    published: ArcSwap<MetadataImage>,
    index: watch::Sender<u64>,
}

impl Publications {
    pub(crate) fn new() -> Self {
        let (index, _) = watch::channel(0);
        Self { waiting: Mutex::default(), woken: Condvar::new(), published: ArcSwap::default(), index }
    }

    /// The newest image that every listener has seen.
    pub(crate) fn image(&self) -> Arc<MetadataImage> {
        self.published.load_full()
    }

    /// Hands over an applied image.
    pub(crate) fn offer(&self, image: &MetadataImage, touched: Touched) {
        let mut waiting = self.waiting.lock();
        let mut all = waiting.next.take().map_or_else(Touched::default, |(_, earlier)| earlier);
        all.merge(touched);
        waiting.next = Some((image.clone(), all));
        self.woken.notify_one();
    }

    /// Adds a listener; returns after its first call has returned.
    pub(crate) async fn join(&self, listener: Arc<dyn MetadataListener>) {
        let (heard, hearing) = oneshot::channel();
        {
            let mut waiting = self.waiting.lock();
            waiting.joining.push((listener, heard));
            self.woken.notify_one();
        }
        // The thread is gone only when the controller was closed: then there is nothing to hear.
        let _ = hearing.await;
    }

    /// Waits until the image of this index is published. False when the publisher was closed before.
    pub(crate) async fn wait_for(&self, index: u64) -> bool {
        self.index.subscribe().wait_for(|published| *published >= index).await.is_ok_and(|at| *at != CLOSED)
    }

    /// Ends the thread after what waits.
    pub(crate) fn close(&self) {
        self.waiting.lock().closed = true;
        self.woken.notify_one();
    }

    /// The thread: publishes until closed.
    pub(crate) fn run(&self) {
        let mut listeners: Vec<Arc<dyn MetadataListener>> = Vec::new();
        while let Some(waiting) = self.next() {
            if let Some((image, touched)) = waiting.next {
                self.publish(&listeners, image, &touched);
            }
            for (listener, heard) in waiting.joining {
                let image = self.image();
                let delta = MetadataDelta::between(&MetadataImage::default(), &image, &image.everything());
                listener.publish(&delta, &image);
                listeners.push(listener);
                let _ = heard.send(());
            }
        }
        self.index.send_replace(CLOSED);
    }

    fn publish(&self, listeners: &[Arc<dyn MetadataListener>], image: MetadataImage, touched: &Touched) {
        let (before, image) = (self.image(), Arc::new(image));
        let delta = MetadataDelta::between(&before, &image, touched);
        if !delta.is_empty() {
            for listener in listeners {
                listener.publish(&delta, &image);
            }
        }
        let index = image.applied_index();
        self.published.store(image);
        self.index.send_replace(index);
    }

    /// What waits, once anything does; `None` when closed and nothing waits.
    fn next(&self) -> Option<Waiting> {
        let mut waiting = self.waiting.lock();
        loop {
            if waiting.next.is_some() || !waiting.joining.is_empty() {
                let closed = waiting.closed;
                let taken = std::mem::take(&mut *waiting);
                waiting.closed = closed;
                return Some(taken);
            }
            if waiting.closed {
                return None;
            }
            self.woken.wait(&mut waiting);
        }
    }
}

/// Stands for "no index will ever be published again"; every wait ends.
const CLOSED: u64 = u64::MAX;
