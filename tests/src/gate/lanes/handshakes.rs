//! Peers that connect and do not get on: slow handshakes and logins, connections that come and go by the thousand, idle ones. Each is
//! cut by its deadline, memory stays within its bound, and an ordinary client's times within twice what they are alone.
//!
//! `HANDSHAKES_SECONDS=30 HANDSHAKES_IDLE=10000 cargo gate handshakes` is the whole of it.

use std::fs;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use barnabas_tests::harness::broker::Broker;
use barnabas_tests::harness::port;
use barnabas_tests::harness::priority::step_back;
use barnabas_tests::harness::proc::Proc;
use barnabas_tests::harness::process::Process;
use barnabas_tests::harness::slow::SlowPeers;
use barnabas_tests::harness::wait::{self, Stopwatch};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::Value;

use super::authority::Authority;
use super::crash::given;
use crate::gate::lane::{Outcome, failed};
use crate::gate::room::Room;

/// Slow peers, a quarter of each kind.
const SLOW: usize = 2000;
/// Connections that come and go in each second, ...
const STORM: u64 = 5000;
/// ... for so long, unless `HANDSHAKES_SECONDS` says otherwise.
const SECONDS: u64 = 4;
/// Connections that are left idle, unless `HANDSHAKES_IDLE` says otherwise.
const IDLE: u64 = 2000;
/// The times of an ordinary client may grow to this many times, ...
const SLOWER_MAX: f64 = 2.0;
/// ... and pass below this, in milliseconds, whatever they are alone: neighbours make greater differences.
const PASSES: f64 = 10.0;
/// A machine at other work may disturb a measurement, but hardly so many.
const MEASUREMENTS: usize = 3;
/// Anonymous memory for each slow peer, each idle connection, and what else may grow meanwhile.
const PER_SLOW: u64 = 64 << 10;
const PER_IDLE: u64 = 8 << 10;
const REST: u64 = 32 << 20;
/// The broker's deadlines: of a TLS handshake, of the next step of a login, and of a frame whose head takes six seconds.
const HANDSHAKE: Duration = Duration::from_secs(10);
const LOGIN_PAUSE: Duration = Duration::from_secs(30);
const FRAME: Duration = Duration::from_secs(36);
/// By how much a machine at work may be late.
const GRACE: Duration = Duration::from_secs(10);
/// Longest wait for what has no deadline of its own.
const PATIENCE: Duration = Duration::from_secs(30);

/// The ports of listeners beside the harness's.
struct Ports {
    tls: u16,
    sasl: u16,
    storm: u16,
}

pub(crate) fn handshakes(room: &Room<'_>) -> Result<String, Outcome> {
    let idle = given("HANDSHAKES_IDLE").unwrap_or(IDLE);
    // The broker leaves a quarter of them to files.
    allow_files((SLOW as u64 + idle) * 4 / 3 + 1000)?;
    let authority = Authority::new(room)?;
    let ports = Ports { tls: port::free()?, sasl: port::free()?, storm: port::free()? };
    let Ports { tls, sasl, storm } = ports;
    let shared = format!("PLAINTEXT://127.0.0.1:{{port}},TLS://localhost:{tls},SASL://127.0.0.1:{sasl}");
    // Behind all addresses of the machine: so many connections use up the ports of one.
    let listeners = format!("{shared},STORM://0.0.0.0:{storm},CONTROLLER://127.0.0.1:{{controller}}");
    let advertised = format!("{shared},STORM://127.0.0.1:{storm}");
    let settings = [
        ("listeners", listeners.as_str()),
        ("advertised.listeners", &advertised),
        (
            "listener.security.protocol.map",
            "PLAINTEXT:PLAINTEXT,TLS:SSL,SASL:SASL_PLAINTEXT,STORM:PLAINTEXT,CONTROLLER:PLAINTEXT",
        ),
        ("ssl.keystore.type", "PEM"),
        ("ssl.keystore.location", &authority.shown("broker.pem")),
        // What is asked is whose processors and workers they take; a disk was seen to stall for 300 ms with nobody there.
        ("log.durability.mode", "os"),
    ];
    let mut broker = room.broker("broker", &settings)?;
    fs::write(room.path("tls.properties"), format!("security.protocol=SSL\n{}", authority.java_properties(false)))?;
    let outcome = loads(room, &broker, &ports, idle);
    let facts = room.with_log_of(&mut broker, outcome)?;
    broker.stop()?;
    Ok(facts)
}

/// Ours and the broker's, which has them from us.
fn allow_files(needed: u64) -> Result<(), Outcome> {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current.is_none_or(|current| current >= needed) {
        return Ok(());
    }
    setrlimit(Resource::Nofile, Rlimit { current: Some(needed), maximum })
        .map_err(|_| Outcome::Skipped(format!("{needed} open files are more than this machine allows ({maximum:?})")))
}

/// The four kinds, and when each is cut at the latest.
fn slow_peers() -> [(SlowPeers, Duration); 4] {
    // A TLS record of 512 bytes, and in it the head of a ClientHello: half of it is here.
    let mut hello = vec![0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3];
    hello.resize(256, 7);
    // The length of a SaslHandshake, its key, and not its version.
    let half_a_head = [0, 0, 0, 200, 0, 17];
    [
        (SlowPeers::new("TLS, nothing", &[], None), HANDSHAKE),
        (SlowPeers::new("TLS, half a ClientHello and a byte a second", &hello, Some(7)), HANDSHAKE),
        (SlowPeers::new("SASL, nothing", &[], None), LOGIN_PAUSE),
        (SlowPeers::new("SASL, half a head and a byte a second", &half_a_head, Some(0)), FRAME),
    ]
}

/// One broker, looked at while others misbehave.
struct Scene<'a> {
    room: &'a Room<'a>,
    broker: &'a Broker,
    process: Proc,
    ports: &'a Ports,
    /// An ordinary client's times alone, in milliseconds.
    alone: f64,
    /// The largest anonymous memory that was seen.
    peak: AtomicU64,
    over: AtomicBool,
    slow: Mutex<[(SlowPeers, Duration); 4]>,
    facts: Vec<String>,
    late: Vec<String>,
}

fn loads(room: &Room<'_>, broker: &Broker, ports: &Ports, idle: u64) -> Result<String, Outcome> {
    let id = broker.process().map(Process::id).ok_or_else(|| Outcome::Failed("the broker is gone".to_owned()))?;
    let process = Proc(id);
    let before = process.anonymous_bytes()?;
    // A neighbour's noise here would excuse everything later.
    let alone = p99(room, broker, "alone")?.min(p99(room, broker, "alone")?);
    let mut scene = Scene {
        room,
        broker,
        process,
        ports,
        alone,
        peak: AtomicU64::new(before),
        over: AtomicBool::new(false),
        slow: Mutex::new(slow_peers()),
        facts: vec![format!("p99 ms alone {alone:.1}")],
        late: Vec::new(),
    };
    scene.run(idle)?;
    scene.told(before, idle)
}

impl Scene<'_> {
    fn run(&mut self, idle: u64) -> Result<(), Outcome> {
        let opened = Stopwatch::start();
        self.open_slow_peers()?;
        let (slow, peak, over, process) = (&self.slow, &self.peak, &self.over, self.process);
        let (facts, late) = thread::scope(|scope| {
            scope.spawn(move || {
                step_back();
                while !over.load(Ordering::Relaxed) {
                    peak.fetch_max(process.anonymous_bytes().unwrap_or(0), Ordering::Relaxed);
                    lock(slow).iter_mut().for_each(|(peers, _)| peers.turn());
                    wait::moment(Duration::from_millis(1));
                }
            });
            let outcome = self.beside_each(idle, &opened);
            over.store(true, Ordering::Relaxed);
            outcome
        })?;
        self.facts.extend(facts);
        self.late.extend(late);
        Ok(())
    }

    /// The times beside each load, and who of them waited too long.
    fn beside_each(&self, idle: u64, opened: &Stopwatch) -> Result<(Vec<String>, Vec<String>), Outcome> {
        let (mut facts, mut late) = (Vec::new(), Vec::new());
        let mut note = |load: String, than: f64, p99: f64| {
            if p99 > most(than) {
                late.push(load.clone());
            }
            facts.push(format!("{load} {p99:.1}"));
        };
        let alone = self.alone;
        note(format!("beside {SLOW} slow peers"), alone, self.least(alone, || self.p99("slow"))?);
        self.new_client()?;
        // What so many connections take of the machine, the broker apart.
        let (_, elsewhere) = self.storm(elsewhere()?)?;
        note(format!("beside {} connections a second to another program", STORM), f64::INFINITY, elsewhere);
        let than = alone.max(elsewhere);
        let storm = self.least(than, || Ok(self.storm(self.ports.storm)?.1))?;
        note(format!("beside {} that came and went", storm_size()), than, storm);
        note(format!("beside {idle} idle ones"), alone, self.idle(idle)?);
        self.all_are_cut(opened)?;
        note("after".to_owned(), alone, self.least(alone, || self.p99("after"))?);
        Ok((facts, late))
    }

    fn p99(&self, name: &str) -> Result<f64, Outcome> {
        p99(self.room, self.broker, name)
    }

    /// The least of a few measurements; the first does when it is as good as it has to be.
    fn least(&self, than: f64, measure: impl Fn() -> Result<f64, Outcome>) -> Result<f64, Outcome> {
        let mut least = f64::INFINITY;
        for _ in 0..MEASUREMENTS {
            least = least.min(measure()?);
            if least <= most(than) {
                break;
            }
        }
        Ok(least)
    }

    fn open_slow_peers(&self) -> Result<(), Outcome> {
        for (at, (peers, _)) in lock(&self.slow).iter_mut().enumerate() {
            peers.connect(if at < 2 { self.ports.tls } else { self.ports.sasl }, SLOW / 4)?;
        }
        Ok(())
    }

    /// Beside slow handshakes a new one is completed.
    fn new_client(&self) -> Result<(), Outcome> {
        let mut command = Command::new(self.room.program());
        command.args(["topics", "list", "--bootstrap-server", &format!("localhost:{}", self.ports.tls)]);
        command.arg("--command-config").arg(self.room.path("tls.properties"));
        self.room.step("new-client", command)
    }

    /// Connections that come and go, as many as there are to be, and the times beside them.
    fn storm(&self, port: u16) -> Result<(u64, f64), Outcome> {
        let whole = storm_size();
        let open = self.process.sockets()?;
        let (made, p99) = thread::scope(|scope| {
            let storm = scope.spawn(|| come_and_go(port, whole));
            let p99 = self.p99("storm");
            (storm.join(), p99)
        });
        let took = made.unwrap_or_else(|_| Err(std::io::Error::other("the storm panicked")))?;
        wait::until("connections that went to be closed", PATIENCE, || {
            self.process.sockets().is_ok_and(|now| now <= open).then_some(())
        })?;
        let rate = whole as f64 / took.as_secs_f64();
        if rate < STORM as f64 / 2.0 {
            return failed(format!("{rate:.0} connections a second were made, {STORM} meant"));
        }
        Ok((whole, p99?))
    }

    fn idle(&self, count: u64) -> Result<f64, Outcome> {
        let open = self.process.sockets()?;
        let idle: Vec<TcpStream> = (0..count)
            .map(|number| TcpStream::connect((address(number), self.ports.storm)))
            .collect::<Result<_, _>>()?;
        // Slow peers are cut meanwhile.
        let least = usize::try_from(count).unwrap_or(0) + open.saturating_sub(SLOW);
        wait::until("idle connections", PATIENCE, || {
            self.process.sockets().is_ok_and(|now| now >= least).then_some(())
        })?;
        let p99 = self.least(self.alone, || self.p99("idle"))?;
        drop(idle);
        Ok(p99)
    }

    /// Each within its deadline.
    fn all_are_cut(&self, opened: &Stopwatch) -> Result<(), Outcome> {
        let left = (FRAME + GRACE).saturating_sub(opened.elapsed());
        wait::until("slow peers to be cut", left, || {
            lock(&self.slow).iter().all(|(peers, _)| peers.connected() == 0).then_some(())
        })?;
        Ok(())
    }

    fn told(mut self, before: u64, idle: u64) -> Result<String, Outcome> {
        for (peers, deadline) in lock(&self.slow).iter() {
            let (first, last) = peers.cut().unwrap_or_default();
            let (kind, first, seconds) = (peers.kind, first.as_secs_f64(), last.as_secs_f64());
            self.facts.push(format!("{kind}: cut after {first:.1} to {seconds:.1} s"));
            if last > *deadline + GRACE {
                self.late.push(kind.to_owned());
            }
        }
        let (bound, peak) =
            (before + SLOW as u64 * PER_SLOW + idle * PER_IDLE + REST, self.peak.load(Ordering::Relaxed));
        let mib = |bytes: u64| bytes >> 20;
        self.facts.push(format!(
            "anonymous memory {} MiB before, {} at most of {}",
            mib(before),
            mib(peak),
            mib(bound)
        ));
        let facts = self.facts.join(", ");
        if peak > bound {
            return failed(format!("the broker took more memory than it may: {facts}"));
        }
        if self.late.is_empty() { Ok(facts) } else { failed(format!("too late: {}; {facts}", self.late.join(", "))) }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An address of this machine by number.
fn address(number: u64) -> Ipv4Addr {
    Ipv4Addr::new(127, 0, 0, u8::try_from(number % 200).unwrap_or(0) + 1)
}

/// At the pace of the storm; tells how long it took.
fn come_and_go(port: u16, whole: u64) -> std::io::Result<Duration> {
    let pace = Stopwatch::start();
    let mut made = 0;
    while made < whole {
        let due = (pace.seconds() * STORM as f64) as u64;
        while made < due.min(whole) {
            drop(TcpStream::connect((address(made), port))?);
            made += 1;
        }
        wait::moment(Duration::from_millis(1));
    }
    Ok(pace.elapsed())
}

/// The longest time that passes beside this one.
fn most(than: f64) -> f64 {
    (than * SLOWER_MAX).max(PASSES)
}

/// A port behind which connections are accepted and closed, in a thread of ours until the gate ends.
fn elsewhere() -> std::io::Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0))?;
    let port = listener.local_addr()?.port();
    thread::spawn(move || listener.incoming().for_each(drop));
    Ok(port)
}

/// How many connections come and go.
fn storm_size() -> u64 {
    STORM * storm_seconds()
}

/// How long they do.
fn storm_seconds() -> u64 {
    given("HANDSHAKES_SECONDS").unwrap_or(SECONDS)
}

/// The 99th percentile of an ordinary client's times, in milliseconds.
fn p99(room: &Room<'_>, broker: &Broker, name: &str) -> Result<f64, Outcome> {
    let seconds = if name == "storm" { storm_seconds() } else { SECONDS }.saturating_sub(1).max(1);
    let name = format!("{name}-probe");
    let mut probe = Command::new(room.program());
    probe.args(["bench", "e2e", "--topic", "good", "--rate", "200", "--batch-size", "200"]);
    probe.args(["--seconds", &seconds.to_string()]);
    probe.args(["--bootstrap-server", &broker.bootstrap(), "-o", "json"]);
    room.step(&name, probe)?;
    // Outputs are appended to: the last line is this run's.
    let told = fs::read_to_string(room.output(&name))?;
    let found: Value = serde_json::from_str(told.lines().last().unwrap_or_default())?;
    found["p99_ms"].as_f64().ok_or_else(|| Outcome::Failed(format!("{name} gave no p99_ms")))
}
