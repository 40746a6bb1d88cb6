//! Clients that fetch, written for load: a request by hand, and answers that are taken slowly or thrown away.
#![allow(
    clippy::disallowed_methods,
    reason = "load on real sockets: how long a peer takes is what it is about, and no seam reaches into it"
)]

use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::priority::step_back;

/// What a reader that makes no hurry takes in each turn.
const SIP: usize = 1024;
/// What such a reader asks for at once.
const REQUESTS: usize = 32;
/// Between two turns of those readers: 1 KiB/s.
const TURN: Duration = Duration::from_secs(1);
/// Longest silence of a broker that owes an answer.
const SILENCE: Duration = Duration::from_secs(60);

/// Fetch v11 without a session, of these partitions from their beginning, with room for `bytes` in the answer.
#[must_use]
pub fn fetch(topic: &str, partitions: Range<i32>, bytes: i32) -> Vec<u8> {
    let mut frame = vec![0; 4];
    let mut put = |bytes: &[u8]| frame.extend_from_slice(bytes);
    put(&[0, 1, 0, 11]);
    put(&7_i32.to_be_bytes()); // correlation id
    put(&[0xff, 0xff]); // no client id
    put(&(-1_i32).to_be_bytes()); // no replica
    put(&500_i32.to_be_bytes()); // milliseconds to wait for ...
    put(&1_i32.to_be_bytes()); // ... a byte
    put(&bytes.to_be_bytes());
    put(&[0]); // read uncommitted
    put(&0_i32.to_be_bytes());
    put(&(-1_i32).to_be_bytes()); // no session
    put(&1_i32.to_be_bytes());
    put(&u16::try_from(topic.len()).unwrap_or(0).to_be_bytes());
    put(topic.as_bytes());
    put(&(partitions.end - partitions.start).to_be_bytes());
    for partition in partitions {
        put(&partition.to_be_bytes());
        put(&(-1_i32).to_be_bytes()); // leader epoch unknown
        put(&0_i64.to_be_bytes());
        put(&(-1_i64).to_be_bytes());
        put(&bytes.to_be_bytes());
    }
    put(&0_i32.to_be_bytes()); // forgotten topics
    put(&[0, 0]); // rack
    let length = u32::try_from(frame.len() - 4).unwrap_or(u32::MAX).to_be_bytes();
    frame.splice(..4, length);
    frame
}

/// Connections that have asked for a lot and take 1 KiB of it a second, until they are told to stop.
///
/// # Errors
/// When one cannot connect.
pub fn sip(bootstrap: &str, request: &[u8], count: usize, stop: &AtomicBool) -> io::Result<()> {
    step_back();
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum })?;
    let connect = |_| {
        let mut stream = TcpStream::connect(bootstrap)?;
        // So many that their answers fill every buffer on the way, however small each of them is.
        stream.write_all(&request.repeat(REQUESTS))?;
        stream.set_nonblocking(true)?;
        Ok(stream)
    };
    let mut streams = (0..count).map(connect).collect::<io::Result<Vec<_>>>()?;
    while !stop.load(Ordering::Relaxed) {
        for stream in &mut streams {
            // One that was cut says so in its own time: the broker's sockets are what is counted.
            let _ = stream.read(&mut [0; SIP]);
        }
        std::thread::sleep(TURN);
    }
    Ok(())
}

/// One connection that asks again as soon as it has its answer, until it is told to stop; adds up the answers' bytes.
///
/// # Errors
/// When the connection fails, or an answer has no records though there are some.
pub fn gulp(bootstrap: &str, request: &[u8], stop: &AtomicBool, taken: &AtomicU64) -> io::Result<()> {
    step_back();
    let mut stream = TcpStream::connect(bootstrap)?;
    stream.set_read_timeout(Some(SILENCE))?;
    let mut buffer = vec![0; 128 << 10];
    while !stop.load(Ordering::Relaxed) {
        stream.write_all(request)?;
        let mut length = [0; 4];
        stream.read_exact(&mut length)?;
        let mut left = usize::try_from(u32::from_be_bytes(length)).map_err(io::Error::other)?;
        if left < buffer.len() {
            return Err(io::Error::other(format!("an answer of {left} bytes")));
        }
        taken.fetch_add(left as u64, Ordering::Relaxed);
        while left > 0 {
            let room = buffer.len().min(left);
            match stream.read(buffer.get_mut(..room).unwrap_or_default())? {
                0 => return Err(ErrorKind::UnexpectedEof.into()),
                read => left -= read,
            }
        }
    }
    Ok(())
}
