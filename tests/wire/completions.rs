//! Completions of a shell: commands and options, and the names of what the line's cluster has.

use std::process::Command;

use barnabas_tests::harness::wait::Stopwatch;

use crate::commands::done;
use crate::fixture::{Fixture, program};

/// What bash would offer behind these words: those of a line as it cuts them.
fn offered(words: &[&str]) -> Vec<String> {
    let typed = words.last().copied().filter(|word| *word != "=").unwrap_or_default();
    // Bash calls the function with the program, the word before the cursor, and the one before that.
    let script = "compopt() { :; }; source <(barnabas generate completions bash); COMP_WORDS=(\"${@:2}\"); COMP_CWORD=$(($# - 2))
        _barnabas barnabas \"$1\" && printf '%s\\n' \"${COMPREPLY[@]}\"";
    let directory = program().parent().unwrap().to_owned();
    let path = format!("{}:{}", directory.display(), std::env::var("PATH").unwrap());
    let mut bash = Command::new("bash");
    bash.args(["-c", script, "bash", typed, "barnabas"]).args(words).env("PATH", path);
    let output = bash.output().unwrap();
    assert!(output.stderr.is_empty(), "{words:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap().lines().filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

#[test]
fn names_of_topics_groups_and_users_are_offered() {
    let fixture = Fixture::start(&[]);
    let broker = fixture.broker.bootstrap();
    let (host, port) = broker.split_once(':').unwrap();
    done(&fixture, "topics create orders order-lines bills", "");
    done(&fixture, "groups seek billing --topic orders --to earliest --execute", "");
    let harmful = Command::new(program())
        .args(["groups", "seek", "bi$(reboot)", "--topic", "orders", "--to", "earliest", "--execute", "-b", &broker])
        .output();
    assert!(harmful.unwrap().status.success());
    done(&fixture, "users create alice --password-stdin", "secret\n");
    // As bash cuts it.
    let at = |words: &[&str]| offered(&[&["-b", host, ":", port], words].concat());

    assert_eq!(at(&["topics", "describe", "or"]), ["order-lines", "orders"]);
    assert_eq!(at(&["consume", "b"]), ["bills"]);
    assert_eq!(at(&["groups", "seek", "billing", "--topic", "order-"]), ["order-lines"]);
    assert_eq!(at(&["groups", "seek", "billing", "--topic", "=", "order-"]), ["order-lines"]);
    assert_eq!(at(&["groups", "lag", "bi"]), ["billing"], "what a shell would run is not offered");
    assert_eq!(at(&["users", "passwd", "a"]), ["alice"]);
    assert_eq!(at(&["configs", "get", "topic/bi"]), ["topic/bills"]);
    assert_eq!(at(&["configs", "get", "to"]), ["topic/"]);
    let by_environment = offered(&["topics", "tr"]);
    assert_eq!(by_environment, ["trim"]);
}

#[test]
fn who_does_not_answer_has_no_names_and_is_not_waited_for() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = silent.local_addr().unwrap().port().to_string();
    for port in ["1", &silent] {
        let watch = Stopwatch::start();
        let names = offered(&["topics", "describe", "-b", "127.0.0.1", ":", port, "or"]);
        assert!(names.is_empty(), "{names:?}");
        // Its patience is 90 ms; the rest is two starts of a program that was not optimised, beside other tests.
        assert!(watch.elapsed().as_secs() < 5, "{:?}", watch.elapsed());
    }
    assert!(offered(&["topics", "describe", "--profile", "none", "or"]).is_empty());
}

#[test]
fn every_shell_has_a_script() {
    for (shell, part) in [
        ("bash", "complete -"),
        ("zsh", "#compdef barnabas"),
        ("fish", "complete "),
        ("elvish", "edit:"),
        ("powershell", "Register-"),
    ] {
        let output = Command::new(program()).args(["generate", "completions", shell]).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success() && text.contains(part), "{shell}: {text}");
    }
}
