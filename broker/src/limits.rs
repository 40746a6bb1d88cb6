//! Every bound of the network and the gate that is not a setting, by name. A bound that Kafka has as a setting is read
//! from the configuration where it is used.

use std::time::Duration;

/// Elements of all arrays of one request together. The largest element takes 232 bytes in memory: 60 MiB at most.
pub const REQUEST_ELEMENTS_MAX: usize = 262_144;

/// Tagged fields of one request that its version does not know. Each costs up to half a kilobyte in memory.
pub const REQUEST_UNKNOWN_TAGS_MAX: usize = 1024;

/// Length of a string on the wire, as in Kafka: also where a compact length could say more.
pub const STRING_BYTES_MAX: usize = 0x7fff;

/// Memory for requests and their answers when `queued.max.request.bytes` is not set (Kafka then has no bound).
pub const REQUEST_BUDGET_BYTES: usize = 256 << 20;

/// What the requests of a connection may take beside the budget, all that it has under way together: a batch of the Java
/// client's default size. So neither large requests nor peers that send half a frame and stop hold up those that are small.
pub const REQUEST_BYTES_FREE: usize = 24 << 10;

/// What a request may take of the budget to count as small: a batch of Kafka's default largest size does.
pub const SMALL_REQUEST_BYTES_MAX: usize = 2 << 20;

/// Bytes of large requests between their arrival and the disk: a round of the journal.
pub const BACKLOG_BYTES_MAX: usize = 4 << 20;

/// A connection that writes so much at once takes turns with others like it, as one whose requests are above
/// [`REQUEST_BYTES_FREE`].
pub const TURN_ANSWER_BYTES_MIN: usize = 128 << 10;
/// So many of them a worker pass without turns, which cost a sixth of what unsynced batches of 512 KiB reach.
pub const TURNS_ABOVE: usize = 4;

/// `socket.request.max.bytes` is never taken for less: ApiVersions must fit.
pub const REQUEST_BYTES_LEAST: usize = 1024;

/// The least and the most that is read from a socket at once. A connection's reads grow while they fill.
pub const READ_BYTES_MIN: usize = 4 << 10;
/// See [`READ_BYTES_MIN`].
pub const READ_BYTES_MAX: usize = 128 << 10;

/// Above this a frame's buffer grows only as its bytes arrive.
pub const FRAME_BYTES_AT_ONCE: usize = 1 << 20;

/// What the second stage of a request keeps of the budget: its state, and that for each element of the request's arrays.
pub const SECOND_STAGE_BYTES: usize = 1024;
/// See [`SECOND_STAGE_BYTES`].
pub const SECOND_STAGE_ELEMENT_BYTES: usize = 256;

/// The first part of a connection's idle time: one wake-up after its last request. Shorter than what any request waits for.
pub const IDLE_FIRST: Duration = Duration::from_secs(1);

/// Time in which the first twelve bytes of a frame must follow its first one.
pub const FRAME_HEAD_TIMEOUT: Duration = Duration::from_secs(10);

/// Time for the body of a frame, beside the time that its length takes at [`FRAME_BYTES_PER_SECOND_MIN`].
pub const FRAME_BODY_TIMEOUT: Duration = Duration::from_secs(30);
/// A peer that sends slower than this is cut.
pub const FRAME_BYTES_PER_SECOND_MIN: usize = 512 << 10;

/// Requests of one connection before its login, and of each login later: ApiVersions twice, SaslHandshake, and tokens.
pub const LOGIN_REQUESTS_MAX: u32 = 16;
/// Time in which each of them must begin.
pub const LOGIN_PAUSE_MAX: Duration = Duration::from_secs(30);
/// Time from a connection, or from the end of its TLS handshake, to the beginning of its login's last request.
pub const LOGIN_TIME_MAX: Duration = Duration::from_secs(60);
/// Passwords of PLAIN that are salted at the same time: each takes a core for milliseconds.
pub const PASSWORD_CHECKS_MAX: usize = 4;
/// Right passwords that are known again without salting ...
pub const PASSWORDS_KEPT_MAX: usize = 4096;
/// ... for this long.
pub const PASSWORDS_KEPT_FOR: Duration = Duration::from_secs(60);
/// Tokens of GSSAPI that the library of Kerberos looks at at the same time: each may wait for a file.
pub const KERBEROS_STEPS_MAX: usize = 4;

/// Credentials of delegation tokens that are kept: each is made by a salting.
pub const TOKEN_CREDENTIALS_MAX: usize = 4096;
/// Time for an issuer of tokens to answer with its keys, and for a login to wait for them.
pub const ISSUER_TIMEOUT: Duration = Duration::from_secs(10);
/// Least time between two readings of an issuer's keys that tokens of unknown keys bring about.
pub const ISSUER_PAUSE: Duration = Duration::from_secs(10);

/// While others wait for the budget, a frame must bring this many bytes ...
pub const CONTENDED_BYTES_MIN: usize = 64 << 10;
/// ... in this time.
pub const CONTENDED_INTERVAL: Duration = Duration::from_secs(2);

/// Refused requests and connections that are logged one by one; of those that follow, one in as many: a peer cannot fill the log.
pub const CLOSES_NOTED: u64 = 1000;

/// Looks for the next request of a client after its answer has left: some 20 us. A sleep and a wake-up take longer.
pub const LOOKS_MAX: u32 = 64;
/// Requests of one connection that come so, one after the other, before the worker looks after the others.
pub const ROUNDS_MAX: u32 = 16;

/// Answers owed on one connection; further requests are not read.
pub const ANSWERS_MAX: usize = 256;
/// Bytes of finished answers on one connection that wait to be written; further requests are not read.
pub const ANSWER_BYTES_MAX: usize = 1 << 20;

/// Answers are joined into one write up to this size, and up to this many pieces.
pub const WRITE_BYTES_JOINED: usize = 256 << 10;
/// See [`WRITE_BYTES_JOINED`].
pub const WRITE_PIECES_MAX: usize = 64;

/// Bytes of a mapped piece that one write after the other may bring into this process's memory before they are given
/// back, when the piece is not at its end before.
pub const GIVEN_BACK_BYTES_MIN: usize = 1 << 20;

/// Bytes of answers in memory that one connection may have unsent before they count for the broker's budget. Ranges of
/// records that fit are copied into their answer: cheaper than the page faults of sending them from the map.
pub const UNSENT_BYTES_FREE: usize = 16 << 10;

/// Bytes that one connection writes before others get their turn.
pub const WRITE_BYTES_AT_ONCE: usize = 512 << 10;

/// While an answer is written its peer must take [`WRITE_BYTES_MIN`] in this time ...
pub const WRITE_INTERVAL: Duration = Duration::from_secs(15);
/// ... 16 KiB a second: a consumer behind a slow line goes on, one that has stopped is cut.
pub const WRITE_BYTES_MIN: usize = 240 << 10;
/// While others wait for room for their answers, who holds some must take [`CONTENDED_BYTES_MIN`] in this time.
pub const WRITE_CONTENDED_INTERVAL: Duration = Duration::from_secs(1);

/// Connections that may wait to be accepted, whatever less `socket.listen.backlog.size` says: its default of 50 overflows
/// when some hundred clients come back at once, and each of them then waits for its own retransmissions.
pub const LISTEN_BACKLOG_LEAST: i32 = 1024;

/// Pause after a failed accept: the process may be out of file descriptors.
pub const ACCEPT_RETRY_PAUSE: Duration = Duration::from_millis(100);

/// Time that a stop gives to the requests that were received.
pub const DRAIN_TIMEOUT: Duration = Duration::from_secs(10);

/// HTTP connections at once: whoever comes beyond is closed.
pub const HTTP_CONNECTIONS_MAX: usize = 16;
/// Time that one HTTP request may take, from its connection to its answer.
pub const HTTP_DEADLINE: Duration = Duration::from_secs(10);
/// Bytes of the head of an HTTP request.
pub const HTTP_HEAD_BYTES_MAX: usize = 8 << 10;

/// Rows of one table of the page.
pub const PAGE_ROWS_MAX: usize = 5000;

/// How often log directories are asked to do what is due.
pub const HOUSEKEEPING_INTERVAL: Duration = Duration::from_secs(1);

/// Polls of tasks after which a worker looks for events of sockets while it is busy. A poll may move some 100 KiB and take a
/// millisecond, so tokio's own 61 kept small requests waiting for a tenth of a second beside large ones.
pub const POLLS_BETWEEN_EVENTS: u32 = 7;
/// Time from an accepted connection to the end of its TLS handshake.
pub const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// TLS handshakes that may be under way; a connection above is closed. Each holds at most a 64 KiB message of its peer.
pub const HANDSHAKES_MAX: usize = 4096;
/// Encrypted bytes that one connection may have unsent: records are made only as the socket takes them.
pub const TLS_UNSENT_BYTES_MAX: usize = 64 << 10;
/// Names of trusted roots that are told to a client that is asked for its certificate; above, none are.
pub const ROOT_HINTS_MAX: usize = 200;
/// Bytes of a file with keys or certificates.
pub const KEY_FILE_BYTES_MAX: usize = 16 << 20;
/// A certificate that ends within this time is spoken of ...
pub const CERTIFICATE_EXPIRY_NOTED: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// ... this often.
pub const CERTIFICATE_EXPIRY_NOTED_EVERY: Duration = Duration::from_secs(24 * 60 * 60);

/// Threads for blocking work: cold reads and log directories.
pub const BLOCKING_THREADS_MAX: usize = 64;

/// Bytes that one Fetch answer reads into memory because they are not in the page cache, beside one batch.
pub const COLD_FETCH_BYTES_MAX: usize = 4 << 20;
/// The same while there is little room for unsent answers.
pub const COLD_FETCH_BYTES_MIN: usize = 64 << 10;

/// Settings that one DescribeConfigs tells of: some 64 MiB in memory with their documentation, 3,900 topics.
pub const DESCRIBED_SETTINGS_MAX: usize = 131_072;

/// Settings that one request may alter, as in Kafka.
pub const ALTERED_SETTINGS_MAX: usize = 10_000;

/// How often a change of settings is judged again because somebody else changed them first.
pub const CONFIG_RACES_MAX: usize = 16;

/// Bytes of one text of a peer's in an event of the audit; what is longer is cut.
pub const AUDIT_TEXT_BYTES_MAX: usize = 512;
/// Events of the audit that are written together.
pub const AUDIT_ROUND_EVENTS_MAX: usize = 1024;
/// Bytes of events in one batch of the audit's topic.
pub const AUDIT_BATCH_BYTES_MAX: usize = 256 << 10;
/// Refusals that are alike within this time are told together ...
pub const AUDIT_FOLD_WINDOW: Duration = Duration::from_secs(60);
/// ... at the latest this much later.
pub const AUDIT_FOLD_CHECK: Duration = Duration::from_secs(10);
/// Kinds of refusal that are remembered for that.
pub const AUDIT_FOLDS_MAX: usize = 4096;

/// Clients whose metrics are kept (KIP-714).
pub const CLIENT_INSTANCES_MAX: usize = 4096;
/// Values that one of them may push ...
pub const CLIENT_SERIES_MAX: usize = 4096;
/// ... and the bytes of all.
pub const CLIENT_SERIES_BYTES_MAX: usize = 32 << 20;
/// Bytes that one push may decompress to.
pub const CLIENT_PUSH_BYTES_MAX: usize = 4 << 20;
/// Labels of one of their values.
pub const CLIENT_LABELS_MAX: usize = 16;
/// Bytes of one text of a client's in a name or a label; what is longer is cut.
pub const CLIENT_TEXT_BYTES_MAX: usize = 256;
/// A client that is not heard of for this time, and three intervals, is forgotten ...
pub const CLIENT_FORGOTTEN_AFTER: Duration = Duration::from_secs(60);
/// ... when it is looked for: at most this often.
pub const CLIENT_SWEEP_INTERVAL: Duration = Duration::from_secs(10);
