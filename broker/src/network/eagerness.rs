//! The two halves of a connection's stream, and a look for the next request before the task goes to sleep: a client that
//! sends one as soon as it has its answer is served without a wake-up, which costs more than the request.
//!
//! Invariants:
//! 1. Both halves are polled by one task: the lock is never waited for.
//! 2. A look takes at most [`LOOKS_MAX`] system calls, and comes only after an answer has left and none is owed.
//! 3. After a look in vain answers pass without one, twice as many for each that was in vain more than not: a client that
//!    takes its time costs nothing.
//! 4. After [`ROUNDS_MAX`] requests in a row the worker goes back to the other connections.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::limits::{LOOKS_MAX, ROUNDS_MAX};
use crate::seam::Stream;

/// Most answers without a look, as a power of two.
const REST_MAX: u32 = 10;

/// One half of a stream.
pub struct Half<'a, S>(pub &'a Mutex<S>);

impl<S: Stream> AsyncRead for Half<'_, S> {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.0.lock()).poll_read(context, into)
    }
}

impl<S: Stream> AsyncWrite for Half<'_, S> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.0.lock()).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.0.lock()).poll_write_vectored(context, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        self.0.lock().is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.0.lock()).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.0.lock()).poll_shutdown(context)
    }
}

/// How soon a client sends its next request, from what it did before.
#[derive(Debug, Default)]
pub struct Eagerness {
    /// By how many more looks were in vain than were not.
    in_vain: u32,
    /// Answers that will pass without a look.
    rest: u32,
}

impl Eagerness {
    /// An answer has just left and none is owed: whether the next request comes at once. `round` counts the requests that
    /// came so since the worker took up this connection.
    pub fn is_next_here<S: Stream>(&mut self, stream: &Mutex<S>, round: u32) -> bool {
        if round >= ROUNDS_MAX {
            return false;
        }
        if self.rest > 0 {
            self.rest -= 1;
            return false;
        }
        if (0..LOOKS_MAX).any(|_| stream.lock().look()) {
            self.in_vain = self.in_vain.saturating_sub(1);
            return true;
        }
        self.in_vain = (self.in_vain + 1).min(REST_MAX);
        self.rest = 1 << self.in_vain;
        false
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;

    /// A peer whose next request is there, or never.
    struct Peer {
        is_eager: bool,
        looks: u32,
    }

    impl AsyncRead for Peer {
        fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
            Poll::Pending
        }
    }

    impl AsyncWrite for Peer {
        fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, _: &[u8]) -> Poll<io::Result<usize>> {
            Poll::Pending
        }
        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Pending
        }
        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Pending
        }
    }

    impl Stream for Peer {
        fn local_address(&self) -> io::Result<SocketAddr> {
            Err(io::ErrorKind::Unsupported.into())
        }
        fn look(&mut self) -> bool {
            self.looks += 1;
            self.is_eager
        }
    }

    #[test]
    fn a_client_that_takes_its_time_is_hardly_looked_for() {
        let peer = Mutex::new(Peer { is_eager: false, looks: 0 });
        let mut eagerness = Eagerness::default();
        assert!((0..100_000).all(|_| !eagerness.is_next_here(&peer, 0)));
        let looked = peer.lock().looks / LOOKS_MAX;
        assert!(looked < 120, "{looked} times");
    }

    #[test]
    fn an_eager_client_is_served_at_once_until_the_others_have_their_turn() {
        let peer = Mutex::new(Peer { is_eager: true, looks: 0 });
        let mut eagerness = Eagerness::default();
        assert!((0..ROUNDS_MAX).all(|round| eagerness.is_next_here(&peer, round)));
        assert!(!eagerness.is_next_here(&peer, ROUNDS_MAX));
        assert_eq!(peer.lock().looks, ROUNDS_MAX);
    }

    #[test]
    fn a_client_that_becomes_eager_is_looked_for_again() {
        let peer = Mutex::new(Peer { is_eager: false, looks: 0 });
        let mut eagerness = Eagerness::default();
        (0..10_000).for_each(|_| assert!(!eagerness.is_next_here(&peer, 0)));
        peer.lock().is_eager = true;
        let waited = (0..2000).take_while(|_| !eagerness.is_next_here(&peer, 0)).count();
        assert!(waited <= 1 << REST_MAX, "{waited}");
        assert!((0..100).all(|_| eagerness.is_next_here(&peer, 0)));
    }
}
