//! `serve --dev`: a broker to try something out, which leaves nothing behind.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use barnabas_tests::harness::port;

use crate::fixture::program;

/// A started broker, and what it said on stdout up to its last word.
struct Tried {
    broker: Child,
    port: u16,
    said: String,
}

impl Tried {
    fn start(temporary: &std::path::Path, words: &[&str]) -> Self {
        let port = port::free().unwrap();
        let mut command = Command::new(program());
        command.args(["serve", "--dev", "-c"]).arg(format!("listeners=PLAINTEXT://127.0.0.1:{port}")).args(words);
        command.env("TMPDIR", temporary).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut broker = command.spawn().unwrap();
        let mut said = String::new();
        let mut stdout = BufReader::new(broker.stdout.take().unwrap());
        while !said.contains("bootstrap.servers=") {
            assert!(stdout.read_line(&mut said).unwrap() > 0, "it ended: {said}");
        }
        Self { broker, port, said }
    }

    /// The commands that it names, run as a shell runs them; what they print.
    fn follow_the_advice(&self) -> String {
        let commands = self.said.lines().filter_map(|line| line.strip_prefix("  "));
        let mut printed = String::new();
        for (number, line) in commands.enumerate() {
            // It would go on for ever.
            let line = if number == 2 { format!("{line} --max 1") } else { line.to_owned() };
            let output = Command::new("sh").args(["-c", &line]).output().unwrap();
            assert!(output.status.success(), "{line}: {output:?}");
            printed += &String::from_utf8(output.stdout).unwrap();
        }
        printed
    }

    fn stop(mut self) {
        assert!(Command::new("kill").arg(self.broker.id().to_string()).status().unwrap().success());
        assert!(self.broker.wait().unwrap().success());
    }
}

fn entries(directory: &std::path::Path) -> Vec<PathBuf> {
    std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn a_broker_to_try_something_out_names_three_commands_that_work_and_leaves_nothing() {
    let temporary = tempfile::tempdir().unwrap();
    let tried = Tried::start(temporary.path(), &[]);
    let data = entries(temporary.path());
    assert_eq!(data.len(), 1);
    assert!(tried.said.contains(&format!("{} until it stops", data[0].display())), "{}", tried.said);
    let printed = tried.follow_the_advice();
    assert!(printed.contains("greetings  created") && printed.ends_with("\nhello\n"), "{printed}");
    let page = tried.said.lines().find_map(|line| line.strip_prefix("The page is on http://")).unwrap();
    let page = crate::commands::get(page.trim_end_matches('/').parse().unwrap(), "/");
    assert!(page.contains("greetings"), "{page}");
    tried.stop();
    assert!(entries(temporary.path()).is_empty());
}

#[test]
fn a_directory_that_is_named_stays() {
    let temporary = tempfile::tempdir().unwrap();
    let data = temporary.path().join("mine");
    let tried = Tried::start(temporary.path(), &["-c", &format!("log.dirs={}", data.display())]);
    assert!(tried.said.contains(&format!("{}.\n", data.display())), "{}", tried.said);
    assert!(tried.said.contains(&format!("-b 127.0.0.1:{}\n", tried.port)), "{}", tried.said);
    tried.stop();
    assert_eq!(entries(temporary.path()), std::slice::from_ref(&data));
    assert!(data.join("meta.properties").exists());
    let with_a_file = Command::new(program()).args(["serve", "--dev", "server.properties"]).output().unwrap();
    assert_eq!(with_a_file.status.code(), Some(2));
}
