//! The repository's files as text.

use std::fs;
use std::path::{Path, PathBuf};

/// Directories that hold nothing of the repository's own.
const FOREIGN: [&str; 6] = ["target", ".git", ".gate", "barnabas-data", "node_modules", ".venv"];

/// One file.
pub(crate) struct Source {
    /// Its path from the repository's root, with slashes.
    pub(crate) path: String,
    /// All of it.
    pub(crate) text: String,
}

impl Source {
    /// The text without test modules: what runs in the broker. Test files are empty.
    pub(crate) fn bare(&self) -> &str {
        let of_tests =
            self.path.ends_with("/tests.rs") || self.path.contains("/tests/") || self.path.starts_with("tests/");
        if of_tests {
            return "";
        }
        self.text.split_once("\n#[cfg(test)]\nmod ").map_or(&self.text, |(bare, _)| bare)
    }

    /// The first path component.
    pub(crate) fn room(&self) -> &str {
        self.path.split('/').next().unwrap_or_default()
    }
}

/// The repository's root.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

/// Every text file with one of these extensions, sorted by path.
pub(crate) fn files(extensions: &[&str]) -> Vec<Source> {
    let mut found = Vec::new();
    collect(&root(), Path::new(""), extensions, &mut found);
    found.sort_by(|left, right| left.path.cmp(&right.path));
    assert!(!found.is_empty(), "no file of {extensions:?} found");
    found
}

/// Every Rust file.
pub(crate) fn rust() -> Vec<Source> {
    files(&["rs"])
}

fn collect(root: &Path, below: &Path, extensions: &[&str], found: &mut Vec<Source>) {
    for entry in fs::read_dir(root.join(below)).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        let path = below.join(&name);
        if entry.file_type().unwrap().is_dir() {
            if !FOREIGN.contains(&name.as_str()) {
                collect(root, &path, extensions, found);
            }
        } else if path.extension().is_some_and(|extension| extensions.iter().any(|one| extension == *one)) {
            let text = fs::read_to_string(entry.path()).unwrap();
            found.push(Source { path: path.to_str().unwrap().to_owned(), text });
        }
    }
}

/// Fails with every finding on a line of its own.
pub(crate) fn nothing_in(findings: &[String]) {
    assert!(findings.is_empty(), "\n{}", findings.join("\n"));
}
