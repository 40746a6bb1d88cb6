//! Frames from any bytes: whatever comes, it ends with an error or the end of the bytes, and no frame is longer than
//! the bytes.

use barnabas_broker::network::frame::Frames;

/// One input.
pub(crate) fn run(bytes: &[u8]) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(async {
        let (mut from, mut frames) = (bytes, Frames::new(1 << 20));
        while let Ok(head) = frames.head(&mut from).await {
            match frames.whole(&mut from, head).await {
                Ok(frame) => assert!(frame.len() == head.bytes && frame.len() <= bytes.len()),
                Err(_) => return,
            }
        }
    });
}
