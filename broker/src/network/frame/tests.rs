use proptest::prelude::*;
use tokio::io::{AsyncWriteExt, duplex};

use super::*;

fn framed(key: i16, body: &[u8]) -> Vec<u8> {
    let mut frame = Vec::new();
    frame.extend(i32::try_from(HEADER_PREFIX + body.len()).unwrap().to_be_bytes());
    frame.extend(key.to_be_bytes());
    frame.extend([0; 6]);
    frame.extend(body);
    frame
}

async fn take(frames: &mut Frames, from: &mut (impl AsyncRead + Unpin)) -> Result<Bytes, FrameError> {
    frames.begun(from).await?;
    let head = frames.head(from).await?;
    frames.whole(from, head).await
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn frames_come_out_as_they_went_in_however_they_are_cut(
        bodies in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..9000), 1..20),
        pipe in 1..20_000_usize,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let (mut ours, mut theirs) = duplex(pipe);
            let sent: Vec<u8> = bodies.iter().flat_map(|body| framed(3, body)).collect();
            let send = async move {
                theirs.write_all(&sent).await.unwrap();
            };
            let receive = async {
                let mut frames = Frames::new(100 << 20);
                for body in &bodies {
                    let frame = take(&mut frames, &mut ours).await.unwrap();
                    prop_assert_eq!(&frame[HEADER_PREFIX..], &body[..]);
                }
                let end = take(&mut frames, &mut ours).await;
                prop_assert!(matches!(end, Err(FrameError::PeerClosed)));
                Ok(())
            };
            tokio::join!(send, receive).1
        })?;
    }
}

#[tokio::test]
async fn negative_and_oversized_lengths_are_refused() {
    for claimed in [-1, i32::MIN, 101, i32::MAX] {
        let mut bytes: &[u8] = &claimed.to_be_bytes();
        let refused = take(&mut Frames::new(100), &mut bytes).await;
        assert!(matches!(refused, Err(FrameError::Length(length)) if length == claimed));
    }
}

#[tokio::test]
async fn a_frame_without_room_for_a_header_is_refused() {
    for claimed in 0..8_i32 {
        let mut bytes: &[u8] = &claimed.to_be_bytes();
        let refused = take(&mut Frames::new(100), &mut bytes).await;
        assert!(matches!(refused, Err(FrameError::NoHeader(_))));
    }
}

#[tokio::test]
async fn an_idle_connection_holds_no_buffer() {
    let (mut ours, mut theirs) = duplex(1 << 16);
    let mut frames = Frames::new(100 << 20);
    assert!(futures_util::poll!(pin!(frames.begun(&mut ours))).is_pending());
    assert_eq!(frames.buffer.capacity(), 0);
    theirs.write_all(&framed(3, &[7; 5000])).await.unwrap();
    drop(take(&mut frames, &mut ours).await.unwrap());
    assert!(futures_util::poll!(pin!(frames.begun(&mut ours))).is_pending());
    assert_eq!(frames.buffer.capacity(), 0);
}

#[tokio::test]
async fn a_claim_reserves_at_most_a_mebibyte_before_bytes_arrive() {
    let (mut ours, mut theirs) = duplex(1 << 16);
    let mut frames = Frames::new(100 << 20);
    theirs.write_all(&(100_i32 << 20).to_be_bytes()).await.unwrap();
    theirs.write_all(&[0; 8]).await.unwrap();
    let head = frames.head(&mut ours).await.unwrap();
    assert_eq!(head.bytes, 100 << 20);
    assert!(futures_util::poll!(pin!(frames.whole(&mut ours, head))).is_pending());
    assert!(frames.buffer.capacity() <= FRAME_BYTES_AT_ONCE + READ_BYTES_MAX);
}

#[tokio::test]
async fn reads_grow_while_they_fill_and_shrink_again() {
    let (mut ours, mut theirs) = duplex(1 << 20);
    let mut frames = Frames::new(100 << 20);
    theirs.write_all(&framed(3, &[0; 300_000])).await.unwrap();
    drop(take(&mut frames, &mut ours).await.unwrap());
    theirs.write_all(&framed(3, &[0; 300_000])).await.unwrap();
    drop(take(&mut frames, &mut ours).await.unwrap());
    let grown = frames.read_bytes;
    assert!(grown > READ_BYTES_MIN);
    for _ in 0..10 {
        theirs.write_all(&framed(3, &[])).await.unwrap();
        drop(take(&mut frames, &mut ours).await.unwrap());
    }
    assert_eq!(frames.read_bytes, READ_BYTES_MIN);
}

#[tokio::test]
async fn a_peer_that_leaves_is_noticed_behind_what_it_sent() {
    let (mut ours, mut theirs) = duplex(1 << 16);
    let mut frames = Frames::new(100 << 20);
    theirs.write_all(&framed(3, &[1; 100])).await.unwrap();
    drop(theirs);
    assert!(matches!(frames.gone(&mut ours).await, FrameError::PeerClosed));
    assert_eq!(frames.buffer.len(), LENGTH + 108);
    assert_eq!(take(&mut frames, &mut ours).await.unwrap().len(), 108);
}
