//! Answers on their way to the socket: pieces in memory and mapped ranges, joined in vectored writes. Mapped bytes are
//! only ever handed to the kernel.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::BufMut;
use tokio::io::{AsyncWrite, AsyncWriteExt};

use super::ResponseHeader;
use crate::api::Chunk;
use crate::limits::{GIVEN_BACK_BYTES_MIN, WRITE_BYTES_AT_ONCE, WRITE_BYTES_JOINED, WRITE_PIECES_MAX};

/// Bytes of a length, a correlation id and an empty block of tags.
const HEADER_BYTES_MAX: usize = 9;

/// Places for pieces that are kept while nothing is to be written, so that a small answer allocates none.
const PIECES_KEPT: usize = 4;

/// What stands before an answer's body.
struct Head {
    bytes: [u8; HEADER_BYTES_MAX],
    len: usize,
}

/// What is written.
enum Piece {
    Head(Head),
    Body(Chunk),
}

impl Piece {
    fn len(&self) -> usize {
        match self {
            Self::Head(head) => head.len,
            Self::Body(chunk) => chunk.len(),
        }
    }

    fn memory_bytes(&self) -> usize {
        match self {
            Self::Head(head) => head.len,
            Self::Body(chunk) => chunk.memory_bytes(),
        }
    }

    /// At most `most` of the bytes from `skip` on.
    fn io_part(&self, skip: usize, most: usize) -> IoSlice<'_> {
        let part = |bytes: &'_ [u8]| skip..bytes.len().min(skip + most);
        match self {
            Self::Head(Head { bytes, len }) => {
                let bytes = bytes.get(..*len).unwrap_or(&[]);
                IoSlice::new(bytes.get(part(bytes)).unwrap_or(&[]))
            }
            Self::Body(Chunk::Memory(bytes)) => IoSlice::new(bytes.get(part(bytes)).unwrap_or(&[])),
            Self::Body(Chunk::Mapped(range)) => range.io_part(skip, most),
        }
    }
}

/// Answers that are complete but not yet written.
#[derive(Default)]
pub struct Outbox {
    pieces: VecDeque<Piece>,
    /// Bytes of the first piece that are written already.
    skip: usize,
    /// Bytes of the first piece that are given back already, when it is mapped; not above `skip`.
    given_back: usize,
    bytes: usize,
}

impl Outbox {
    /// Puts one answer behind the others; without a header it is a bare token. An answer longer than a frame can say is an error.
    ///
    /// # Errors
    /// With the answer's length.
    pub fn put(&mut self, header: Option<ResponseHeader>, body: Vec<Chunk>) -> Result<(), usize> {
        let body_bytes: usize = body.iter().map(Chunk::len).sum();
        let head = encode_header(header, body_bytes).ok_or(body_bytes)?;
        self.bytes += head.len + body_bytes;
        self.pieces.push_back(Piece::Head(head));
        self.pieces.extend(body.into_iter().filter(|chunk| !chunk.is_empty()).map(Piece::Body));
        Ok(())
    }

    /// Bytes to be written.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Bytes of pieces that are in memory, those that are written in part included.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        self.pieces.iter().map(Piece::memory_bytes).sum()
    }

    /// Whether a further answer is worth joining.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.bytes < WRITE_BYTES_JOINED && self.pieces.len() < WRITE_PIECES_MAX
    }

    /// Writes everything. May be dropped and called again.
    ///
    /// # Errors
    /// The system's.
    pub async fn write_all<W: AsyncWrite + Unpin>(&mut self, to: &mut W) -> io::Result<()> {
        poll_fn(|context| self.poll_write_all(context, to)).await?;
        // TLS may have taken more than the socket has; for a bare socket this is nothing.
        to.flush().await?;
        if self.pieces.capacity() > PIECES_KEPT {
            self.pieces = VecDeque::new();
        }
        Ok(())
    }

    fn poll_write_all<W: AsyncWrite + Unpin>(&mut self, context: &mut Context<'_>, to: &mut W) -> Poll<io::Result<()>> {
        let before = self.bytes;
        while self.bytes > 0 {
            if before - self.bytes >= WRITE_BYTES_AT_ONCE {
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
            let written = {
                let mut slices = [IoSlice::new(&[]); WRITE_PIECES_MAX];
                let count = self.gather(&mut slices);
                ready!(Pin::new(&mut *to).poll_write_vectored(context, slices.get(..count).unwrap_or(&[])))?
            };
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.advance(written);
        }
        Poll::Ready(Ok(()))
    }

    /// Points `slices` at the first pieces; returns how many it used.
    fn gather<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        let mut skip = self.skip;
        let mut count = 0;
        let mut left = WRITE_BYTES_AT_ONCE;
        for (slice, piece) in slices.iter_mut().zip(&self.pieces) {
            if left == 0 {
                break;
            }
            *slice = piece.io_part(skip, left);
            left -= slice.len();
            skip = 0;
            count += 1;
        }
        count
    }

    /// Takes what was written off the first pieces; what was mapped of it is given back.
    fn advance(&mut self, written: usize) {
        self.bytes -= written;
        let mut left = written;
        while let Some(first) = self.pieces.front().filter(|_| left > 0) {
            let end = first.len().min(self.skip + left);
            left -= end - self.skip;
            self.skip = end;
            let is_whole = end == first.len();
            if is_whole || end - self.given_back >= GIVEN_BACK_BYTES_MIN {
                if let Piece::Body(Chunk::Mapped(range)) = first {
                    range.sent(self.given_back..end);
                }
                self.given_back = end;
            }
            if is_whole {
                (self.skip, self.given_back) = (0, 0);
                self.pieces.pop_front();
            }
        }
    }
}

/// Without a header only the length.
fn encode_header(header: Option<ResponseHeader>, body_bytes: usize) -> Option<Head> {
    let header_bytes = header.map_or(0, |header| 4 + usize::from(header.tagged));
    let length = i32::try_from(header_bytes + body_bytes).ok()?;
    let mut head = Head { bytes: [0; HEADER_BYTES_MAX], len: 4 + header_bytes };
    let mut into = &mut head.bytes[..];
    into.put_i32(length);
    if let Some(header) = header {
        into.put_i32(header.correlation_id);
    }
    Some(head)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use tokio::io::AsyncReadExt;

    use super::*;

    #[tokio::test]
    async fn answers_leave_whole_through_a_socket_that_takes_seven_bytes_at_a_time() {
        let (mut ours, mut theirs) = tokio::io::duplex(7);
        let mut outbox = Outbox::default();
        let mut expected = Vec::new();
        for correlation_id in 0..200_i32 {
            let tagged = correlation_id % 2 == 0;
            let body = vec![u8::try_from(correlation_id).unwrap(); usize::try_from(correlation_id).unwrap()];
            let length = 4 + i32::from(tagged) + correlation_id;
            expected.extend(length.to_be_bytes());
            expected.extend(correlation_id.to_be_bytes());
            expected.extend(vec![0; usize::from(tagged)]);
            expected.extend(&body);
            let halves = [body.len() / 3, body.len()];
            let pieces = vec![Bytes::copy_from_slice(&body[..halves[0]]), Bytes::copy_from_slice(&body[halves[0]..])];
            let header = ResponseHeader { correlation_id, tagged };
            outbox.put(Some(header), pieces.into_iter().map(Chunk::Memory).collect()).unwrap();
        }
        assert_eq!(outbox.bytes(), expected.len());
        let mut received = Vec::new();
        let write = async {
            outbox.write_all(&mut ours).await.unwrap();
            drop(ours);
        };
        tokio::join!(write, async { theirs.read_to_end(&mut received).await.unwrap() });
        assert_eq!(received, expected);
    }
}
