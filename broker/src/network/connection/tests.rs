use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use barnabas_config::SecurityProtocol;
use bytes::Bytes;
use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf, duplex};
use tokio::sync::oneshot;

use super::*;
use crate::api::Chunk;
use crate::api::Reply;
use crate::api::gate::Prefix;
use crate::metrics::Metrics;
use crate::network::slots::Places;
use crate::network::{Admission, Begun, NetworkOptions, ResponseHeader, Service};
use crate::seam::Tasks;
use crate::session::Session;
use crate::unsent::Unsent;

/// A stream in memory.
struct Pipe(DuplexStream);

impl AsyncRead for Pipe {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, into)
    }
}

impl AsyncWrite for Pipe {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

impl Stream for Pipe {
    fn local_address(&self) -> std::io::Result<SocketAddr> {
        Ok(SocketAddr::from(([127, 0, 0, 1], 9092)))
    }
}

/// Keys of the requests that [`Script`] understands.
const ECHO: i16 = 0;
const SECOND: i16 = 1;
const ALONE: i16 = 2;
const NOTHING: i16 = 3;
const CLOSE: i16 = 4;
const LARGE: i16 = 5;
const SECOND_LARGE: i16 = 6;
const LARGE_BYTES: usize = 400 << 10;

/// Answers by the key; second stages and lone work wait for their correlation id to be let go.
#[derive(Default)]
struct Script {
    begun: Mutex<Vec<i32>>,
    held: Mutex<Vec<(i32, oneshot::Sender<()>)>>,
}

impl Script {
    fn begun(&self) -> Vec<i32> {
        self.begun.lock().clone()
    }

    fn let_go(&self, correlation_id: i32) {
        let mut held = self.held.lock();
        let at = held.iter().position(|(id, _)| *id == correlation_id).expect("is held");
        let _ = held.swap_remove(at).1.send(());
    }

    fn hold(&self, correlation_id: i32, reply: Reply) -> crate::api::SecondStage {
        let (release, released) = oneshot::channel();
        self.held.lock().push((correlation_id, release));
        Box::pin(async move {
            let _ = released.await;
            reply
        })
    }
}

fn large() -> Reply {
    Reply::Body(vec![Chunk::Memory(Bytes::from(vec![0; LARGE_BYTES]))])
}

fn body(bytes: &'static [u8]) -> Reply {
    Reply::Body(vec![Chunk::Memory(Bytes::from_static(bytes))])
}

impl Service for Script {
    fn admit(&self, _: &ConnectionInfo, prefix: Prefix, _frame_bytes: usize) -> Result<Admission, CloseReason> {
        if prefix.key > SECOND_LARGE {
            Err(CloseReason::UnknownKey(prefix.key))
        } else {
            Ok(Admission { cost: 0, in_backlog: true })
        }
    }

    fn token(&self, _: &Arc<ConnectionInfo>, _: Bytes) -> crate::api::SecondStage {
        Box::pin(async { body(b"token") })
    }

    fn begin(&self, _connection: &Arc<ConnectionInfo>, frame: Bytes) -> Result<Begun, CloseReason> {
        let prefix = Prefix::read(frame.first_chunk().expect("admitted"));
        self.begun.lock().push(prefix.correlation_id);
        let stage = match prefix.key {
            ECHO => Stage::Answered(body(b"echo")),
            SECOND => Stage::Second(self.hold(prefix.correlation_id, body(b"later"))),
            SECOND_LARGE => Stage::Second(self.hold(prefix.correlation_id, large())),
            ALONE => Stage::Alone(self.hold(prefix.correlation_id, body(b"later"))),
            NOTHING => Stage::Second(Box::pin(async { Reply::Nothing })),
            CLOSE => return Err(CloseReason::Malformed("on purpose".to_owned())),
            _ => Stage::Answered(large()),
        };
        Ok(Begun { header: ResponseHeader { correlation_id: prefix.correlation_id, tagged: false }, keeps: 0, stage })
    }
}

struct Served {
    script: Arc<Script>,
    network: Arc<Network>,
    peer: DuplexStream,
}

fn network_of(script: &Arc<Script>) -> Arc<Network> {
    let options = NetworkOptions {
        request_bytes_max: 1 << 20,
        login_bytes_max: 1 << 16,
        budget_bytes: 8 << 20,
        idle_max: Duration::from_secs(600),
        places: Places { all: 10, all_between_brokers: 10, per_ip: 10, per_ip_here: 10 },
    };
    let service = Arc::<Script>::clone(script);
    let metrics = Arc::new(Metrics::default());
    let unsent = Unsent::new(options.unsent_bytes(), Arc::clone(&metrics));
    Arc::new(Network::new(options, service, Tasks::new(), unsent, metrics))
}

fn info() -> Arc<ConnectionInfo> {
    info_of(SecurityProtocol::Plaintext)
}

fn info_of(protocol: SecurityProtocol) -> Arc<ConnectionInfo> {
    let (local, peer) = (SocketAddr::from(([127, 0, 0, 1], 9092)), SocketAddr::from(([127, 0, 0, 1], 50_000)));
    let session = Session::at_accept(protocol, None);
    Arc::new(ConnectionInfo::new(1, Arc::from("PLAINTEXT"), protocol, local, peer, session))
}

fn serve_script(pipe_bytes: usize) -> Served {
    serve_script_on(SecurityProtocol::Plaintext, pipe_bytes)
}

fn serve_script_on(protocol: SecurityProtocol, pipe_bytes: usize) -> Served {
    let (ours, peer) = duplex(pipe_bytes);
    let script = Arc::new(Script::default());
    let network = network_of(&script);
    let stopping = network.tasks.stopping();
    network.tasks.spawn("connection", serve(Arc::clone(&network), Pipe(ours), info_of(protocol), stopping));
    Served { script, network, peer }
}

impl Served {
    async fn send(&mut self, key: i16, correlation_id: i32) {
        self.peer.write_all(&request(key, correlation_id)).await.unwrap();
    }

    /// The next answer's correlation id and body; `None` when the connection is closed.
    async fn answer(&mut self) -> Option<(i32, Vec<u8>)> {
        let length = self.peer.read_i32().await.ok()?;
        let correlation_id = self.peer.read_i32().await.unwrap();
        let mut body = vec![0; usize::try_from(length).unwrap() - 4];
        self.peer.read_exact(&mut body).await.unwrap();
        Some((correlation_id, body))
    }

    async fn until(&self, condition: impl Fn(&Served) -> bool) {
        while !condition(self) {
            tokio::task::yield_now().await;
        }
    }
}

fn request(key: i16, correlation_id: i32) -> Vec<u8> {
    let mut frame = 10_i32.to_be_bytes().to_vec();
    frame.extend(key.to_be_bytes());
    frame.extend([0, 0]);
    frame.extend(correlation_id.to_be_bytes());
    frame.extend([0, 0]);
    frame
}

#[tokio::test]
async fn a_second_request_is_begun_before_the_first_is_answered() {
    let mut served = serve_script(4096);
    served.send(SECOND, 1).await;
    served.send(SECOND, 2).await;
    served.until(|served| served.script.begun() == [1, 2]).await;
    served.script.let_go(2);
    served.script.let_go(1);
    assert_eq!(served.answer().await, Some((1, b"later".to_vec())));
    assert_eq!(served.answer().await, Some((2, b"later".to_vec())));
}

#[tokio::test]
async fn what_follows_a_one_stage_request_waits_for_it() {
    let mut served = serve_script(4096);
    served.send(SECOND, 1).await;
    served.send(ALONE, 2).await;
    served.send(ECHO, 3).await;
    served.until(|served| served.script.begun() == [1, 2]).await;
    served.script.let_go(1);
    assert_eq!(served.answer().await.unwrap().0, 1);
    assert_eq!(served.script.begun(), [1, 2]);
    served.script.let_go(2);
    assert_eq!(served.answer().await.unwrap().0, 2);
    assert_eq!(served.answer().await.unwrap(), (3, b"echo".to_vec()));
}

#[tokio::test]
async fn a_request_without_answer_leaves_no_gap() {
    let mut served = serve_script(4096);
    served.send(NOTHING, 1).await;
    served.send(ECHO, 2).await;
    assert_eq!(served.answer().await.unwrap().0, 2);
}

#[tokio::test]
async fn a_thousand_pipelined_requests_are_answered_in_order() {
    let mut served = serve_script(1 << 20);
    for correlation_id in 0..1000 {
        served.send(if correlation_id % 3 == 0 { NOTHING } else { ECHO }, correlation_id).await;
    }
    for correlation_id in (0..1000).filter(|id| id % 3 != 0) {
        assert_eq!(served.answer().await.unwrap().0, correlation_id);
    }
    assert_eq!(served.network.metrics.requests.value(), 1000);
}

#[tokio::test]
async fn earlier_answers_leave_before_a_refusal_closes() {
    let mut served = serve_script(4096);
    served.send(SECOND, 1).await;
    served.send(CLOSE, 2).await;
    served.send(ECHO, 3).await;
    served.until(|served| served.script.begun().len() == 2).await;
    served.script.let_go(1);
    assert_eq!(served.answer().await.unwrap().0, 1);
    assert_eq!(served.answer().await, None);
    assert_eq!(served.script.begun(), [1, 2]);
}

#[tokio::test]
async fn an_unknown_key_closes_before_the_body_comes() {
    let mut served = serve_script(4096);
    let mut head = (1_i32 << 19).to_be_bytes().to_vec();
    head.extend([0, 99, 0, 0, 0, 0, 0, 1]);
    served.peer.write_all(&head).await.unwrap();
    assert_eq!(served.answer().await, None);
    assert_eq!(served.network.metrics.request_budget_bytes.value(), 0);
}

#[tokio::test]
async fn a_peer_that_leaves_drops_what_is_pending() {
    let mut served = serve_script(4096);
    served.send(SECOND, 1).await;
    served.send(ALONE, 2).await;
    served.until(|served| served.script.begun() == [1, 2]).await;
    drop(served.peer);
    while served.network.tasks.running() > 0 {
        tokio::task::yield_now().await;
    }
    assert!(served.script.held.lock().iter().all(|(_, release)| release.is_closed()));
    assert_eq!(served.network.metrics.answers_pending.value(), 0);
    assert_eq!(served.network.metrics.request_budget_bytes.value(), 0);
}

#[tokio::test(start_paused = true)]
async fn half_a_frame_is_cut_at_its_deadline() {
    for cut in [1, 4, 11, 13] {
        let mut served = serve_script(4096);
        served.peer.write_all(&request(ECHO, 1)[..cut]).await.unwrap();
        assert_eq!(served.answer().await, None);
        assert_eq!(served.network.metrics.connections_closed_slow.value(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_login_that_drags_on_is_cut() {
    let mut served = serve_script_on(SecurityProtocol::SaslPlaintext, 4096);
    let mut answered = 0;
    loop {
        // Well within the time for each step.
        served.network.tasks.sleep(Duration::from_secs(7)).await;
        if served.peer.write_all(&request(ECHO, 1)).await.is_err() || served.answer().await.is_none() {
            break;
        }
        answered += 1;
    }
    assert_eq!((answered, served.network.metrics.connections_closed_idle.value()), (8, 1));
}

#[tokio::test(start_paused = true)]
async fn who_does_not_log_in_holds_a_place_of_super_users_no_longer_than_a_login_takes() {
    let network = network_of(&Arc::new(Script::default()));
    let (ours, _peer) = duplex(64);
    let (at, session) = (SocketAddr::from(([10, 0, 0, 1], 1)), Session::at_accept(SecurityProtocol::Ssl, None));
    let info = ConnectionInfo::new(1, Arc::from("SSL"), SecurityProtocol::Ssl, at, at, session).for_admins();
    let info = Arc::new(info);
    let begun = network.tasks.monotonic();
    serve(Arc::clone(&network), Pipe(ours), Arc::clone(&info), network.tasks.stopping()).await;
    assert!(network.tasks.monotonic() - begun <= LOGIN_TIME_MAX);
    assert!(!info.may_stay());
    info.is_admins();
    assert!(info.may_stay());
}

#[tokio::test(start_paused = true)]
async fn who_claims_memory_without_sending_is_cut_when_others_wait_for_it() {
    let script = Arc::new(Script::default());
    let network = network_of(&script);
    let connect = || {
        let (ours, peer) = duplex(64);
        let stopping = network.tasks.stopping();
        network.tasks.spawn("connection", serve(Arc::clone(&network), Pipe(ours), info(), stopping));
        peer
    };
    let mut peers: Vec<_> = (0..3).map(|_| connect()).collect();
    for peer in &mut peers {
        // Half each of what the lane of small requests has.
        peer.write_all(&(3_i32 << 18).to_be_bytes()).await.unwrap();
        peer.write_all(&[0; 8]).await.unwrap();
    }
    while network.metrics.request_budget_waits.value() == 0 {
        tokio::task::yield_now().await;
    }
    network.tasks.sleep(Duration::from_secs(3)).await;
    assert_eq!(network.metrics.connections_closed_slow.value(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_is_closed_but_one_that_is_owed_an_answer_is_not() {
    let mut served = serve_script(4096);
    served.send(SECOND, 1).await;
    served.network.tasks.sleep(Duration::from_secs(3600)).await;
    served.script.let_go(1);
    assert_eq!(served.answer().await.unwrap().0, 1);
    assert_eq!(served.answer().await, None);
    assert_eq!(served.network.metrics.connections_closed_idle.value(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_does_not_read_is_read_no_further_and_cut() {
    let mut served = serve_script(64 << 10);
    for correlation_id in 0..20 {
        served.send(LARGE, correlation_id).await;
    }
    served.until(|served| served.network.metrics.answer_bytes_pending.value() > 0).await;
    assert!(served.script.begun().len() < 10, "{:?}", served.script.begun());
    served.network.tasks.sleep(Duration::from_secs(120)).await;
    assert_eq!(served.network.metrics.connections_closed_slow.value(), 1);
    assert_eq!(served.network.metrics.answer_bytes_pending.value(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_reads_slowly_but_steadily_is_not_cut() {
    let mut served = serve_script(64 << 10);
    served.send(LARGE, 1).await;
    let mut read = vec![0; 20 << 10];
    for _ in 0..20 {
        served.network.tasks.sleep(Duration::from_secs(1)).await;
        served.peer.read_exact(&mut read).await.unwrap();
    }
    assert_eq!(served.network.metrics.connections_closed_slow.value(), 0);
}

#[tokio::test(start_paused = true)]
async fn who_does_not_take_its_answers_is_cut_when_others_wait_for_their_room() {
    let mut served = serve_script(64 << 10);
    served.send(LARGE, 1).await;
    served.until(|served| served.network.metrics.unsent_bytes.value() > 0).await;
    served.network.tasks.sleep(Duration::from_secs(5)).await;
    assert_eq!(served.network.metrics.connections_closed_slow.value(), 0, "nobody waits");
    let most = served.network.options.unsent_bytes() / 2;
    drop(
        served.network.tasks.within(Duration::from_secs(5), served.network.unsent.hold_when_free(most)).await.unwrap(),
    );
    assert_eq!(served.network.metrics.connections_closed_slow.value(), 1);
    assert_eq!(served.network.metrics.unsent_bytes.value(), 0);
}

#[tokio::test]
async fn behind_an_answer_that_nobody_takes_the_next_one_is_made_and_counts_as_unsent() {
    let mut served = serve_script(8);
    served.send(SECOND, 1).await;
    served.send(SECOND_LARGE, 2).await;
    served.until(|served| served.script.begun() == [1, 2]).await;
    served.script.let_go(1);
    served.until(|served| served.network.metrics.answer_bytes_pending.value() > 0).await;
    served.script.let_go(2);
    served.until(|served| served.network.metrics.unsent_bytes.value() == LARGE_BYTES as u64).await;
    assert_eq!(served.answer().await, Some((1, b"later".to_vec())));
    assert_eq!(served.answer().await.unwrap().1.len(), LARGE_BYTES);
    served.until(|served| served.network.metrics.unsent_bytes.value() == 0).await;
}

#[tokio::test]
async fn a_stop_finishes_what_was_received() {
    let mut served = serve_script(4096);
    served.send(SECOND, 1).await;
    served.send(ALONE, 2).await;
    served.send(ECHO, 3).await;
    served.until(|served| served.script.begun() == [1, 2]).await;
    let tasks = served.network.tasks.clone();
    let stop = tasks.stop(Duration::from_secs(60));
    let finish = async {
        served.script.let_go(1);
        served.script.let_go(2);
        for expected in [1, 2, 3] {
            assert_eq!(served.answer().await.unwrap().0, expected);
        }
        assert_eq!(served.answer().await, None);
    };
    assert_eq!(tokio::join!(stop, finish).0, 0);
}

#[tokio::test(start_paused = true)]
async fn who_has_had_more_than_its_quota_is_not_read_until_its_wait_is_over() {
    let script = Arc::new(Script::default());
    let (network, info) = (network_of(&script), info());
    let (ours, mut peer) = duplex(4096);
    let (tasks, stopping) = (network.tasks.clone(), network.tasks.stopping());
    info.mute.until(tasks.monotonic() + Duration::from_secs(5));
    tasks.spawn("connection", serve(Arc::clone(&network), Pipe(ours), Arc::clone(&info), stopping));
    peer.write_all(&request(ECHO, 1)).await.unwrap();
    tasks.sleep(Duration::from_millis(4900)).await;
    assert!(script.begun().is_empty());
    tasks.sleep(Duration::from_millis(200)).await;
    assert_eq!(script.begun(), [1]);
    // A peer that leaves while it waits is not waited for.
    info.mute.until(tasks.monotonic() + Duration::from_secs(5));
    peer.write_all(&request(ECHO, 2)).await.unwrap();
    tasks.sleep(Duration::from_millis(10)).await;
    drop(peer);
    tasks.sleep(Duration::from_millis(10)).await;
    assert_eq!((tasks.running(), script.begun().len()), (0, 1));
}

#[test]
fn the_task_of_a_connection_is_small() {
    let (ours, _peer) = duplex(16);
    let task = serve(network_of(&Arc::default()), Pipe(ours), info(), Tasks::new().stopping());
    assert!(size_of_val(&task) < 2200, "{} bytes", size_of_val(&task));
}
