# The commands of a day. `just` lists them; each is an ordinary cargo command underneath.

default:
    @just --list

# The gate: everything that must hold before a change lands.
gate *lanes:
    cargo gate {{lanes}}

# Read-only checks, quick.
check:
    cargo fmt --all -- --check
    cargo clippy --workspace --all-targets -- -D warnings
    cargo deny --offline check bans licenses sources

# Rewrites what can be rewritten: format, clippy's suggestions, documents made from tables.
fix: documents
    cargo clippy --workspace --all-targets --fix --allow-dirty --allow-staged
    cargo fmt --all

# The documents made from tables: SETTINGS.md, server.properties, APIS.md.
documents:
    UPDATE=1 cargo test -q -p barnabas-config
    UPDATE=1 cargo test -q -p barnabas-broker

# Every test, with more cases of each property: just test 1024
test cases="64":
    PROPTEST_CASES={{cases}} cargo test --workspace

# A broker on 127.0.0.1:9092.
run *arguments:
    cargo run --release -- {{arguments}}

# A Debian package in target/debian, with cargo-deb from crates.io.
deb:
    cargo build --release
    packaging/deb.sh

# Apache Kafka and Barnabas side by side.
bench *arguments:
    cargo build --release
    cargo run --release -p barnabas-benches -- {{arguments}}
