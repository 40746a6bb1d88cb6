//! `barnabas generate systemd`: the unit of the Debian package, with other paths.

use std::path::{Path, PathBuf};

use crate::cli::Failure;

/// The package's own.
const UNIT: &str = include_str!("../../../../packaging/debian/barnabas.service");
/// What in it depends on the machine.
const STARTED: &str = "/usr/bin/barnabas serve /etc/barnabas/single.properties /etc/barnabas/site.properties";
const ACCOUNT: &str = "User=barnabas\nGroup=barnabas\n";
const STATE: &str = "StateDirectory=barnabas\nStateDirectoryMode=0750\n";
/// Where a `StateDirectory` is.
const STATES: &str = "/var/lib";

/// What differs from the package's.
#[derive(Debug, clap::Args)]
pub(super) struct Unit {
    /// server.properties files, later ones over earlier ones.
    #[arg(default_values = ["/etc/barnabas/single.properties", "/etc/barnabas/site.properties"])]
    files: Vec<PathBuf>,
    /// The program.
    #[arg(long, value_name = "FILE", default_value = "/usr/bin/barnabas")]
    program: PathBuf,
    /// Whom the broker runs as. The user has to be there.
    #[arg(long, default_value = "barnabas")]
    user: String,
    /// A directory that log.dirs names; once for each. Those below /var/lib are made, the others have to be there.
    #[arg(long, value_name = "DIRECTORY", default_value = "/var/lib/barnabas")]
    data: Vec<PathBuf>,
}

pub(super) fn text(unit: &Unit) -> Result<String, Failure> {
    let mut started = format!("{} serve", word(&unit.program)?);
    for file in &unit.files {
        started += &format!(" {}", word(file)?);
    }
    let user = &unit.user;
    let is_name = user.chars().all(|letter| letter.is_ascii_alphanumeric() || "_-.".contains(letter));
    if user.is_empty() || !is_name {
        return Err(Failure::usage(format!("--user: '{user}' is no name of a user")));
    }
    let mut text = UNIT.replace(STARTED, &started);
    text = text.replace(ACCOUNT, &format!("User={user}\nGroup={user}\n"));
    text = text.replace(STATE, &state(&unit.data)?);
    // Homes are hidden, unless what is needed is there.
    let mut needed = unit.files.iter().chain(&unit.data).chain([&unit.program]);
    if needed.any(|path| ["/home", "/root", "/run/user"].iter().any(|home| path.starts_with(home))) {
        text = text.replace("ProtectHome=yes", "ProtectHome=no");
    }
    Ok(text)
}

/// What the broker may write to.
fn state(directories: &[PathBuf]) -> Result<String, Failure> {
    let mut text = String::new();
    let mut made = Vec::new();
    for directory in directories {
        let path = word(directory)?;
        match directory.strip_prefix(STATES) {
            Ok(below) if !below.as_os_str().is_empty() => made.push(below.display().to_string()),
            Ok(_) | Err(_) => text += &format!("ReadWritePaths={path}\n"),
        }
    }
    if made.is_empty() {
        return Ok(text);
    }
    Ok(format!("StateDirectory={}\nStateDirectoryMode=0750\n{text}", made.join(" ")))
}

/// A path as a word of a unit: without what systemd would read as more than a path.
fn word(path: &Path) -> Result<&str, Failure> {
    let text = path.to_str().filter(|text| {
        text.chars().all(|letter| !letter.is_whitespace() && !letter.is_control() && !"\"'\\%$;:".contains(letter))
    });
    let is_plain = path.is_absolute() && path.components().all(|part| part != std::path::Component::ParentDir);
    text.filter(|_| is_plain).ok_or_else(|| {
        let path = path.display();
        Failure::usage(format!(
            "'{path}': a unit takes absolute paths, without spaces, quotes and any of \\ % $ ; : .."
        ))
    })
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        unit: Unit,
    }

    fn unit(words: &[&str]) -> Result<String, Failure> {
        text(&Line::parse_from([&["systemd"], words].concat()).unit)
    }

    #[test]
    fn without_options_it_is_the_unit_of_the_package() {
        assert_eq!(unit(&[]).unwrap(), UNIT);
    }

    #[test]
    fn paths_and_the_user_are_as_told() {
        let text = unit(&["/srv/a.properties", "--program", "/opt/b", "--user", "kafka", "--data", "/disk1"]).unwrap();
        assert!(text.contains("\nExecStart=/opt/b serve /srv/a.properties\n"), "{text}");
        assert!(text.contains("\nUser=kafka\nGroup=kafka\nReadWritePaths=/disk1\nUMask"), "{text}");
        assert!(!text.contains("StateDirectory") && text.contains("ProtectHome=yes"), "{text}");
        let text = unit(&["--data", "/var/lib/a", "--data", "/var/lib/b/c", "--data", "/run/user/d"]).unwrap();
        assert!(
            text.contains("\nStateDirectory=a b/c\nStateDirectoryMode=0750\nReadWritePaths=/run/user/d\n"),
            "{text}"
        );
        assert!(text.contains("ProtectHome=no"), "{text}");
    }

    #[test]
    fn what_systemd_would_read_as_more_than_a_path_is_refused() {
        for path in ["data", "/a b", "/a%n", "/a/../b", "/a;b", "/a$B", "/a\"b", "/a\nUser=root"] {
            assert!(unit(&["--data", path]).is_err(), "{path}");
            assert!(unit(&["--program", path]).is_err(), "{path}");
            assert!(unit(&[path]).is_err(), "{path}");
        }
        assert!(unit(&["--user", "a\nb"]).is_err() && unit(&["--user", ""]).is_err());
    }
}
