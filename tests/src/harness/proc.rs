//! What the kernel says of a process: its memory and its sockets.

use std::io;
use std::path::PathBuf;

/// A process that is looked at from outside.
#[derive(Debug, Clone, Copy)]
pub struct Proc(pub u32);

impl Proc {
    /// Bytes of anonymous memory that it has: what it made, without the files that it maps.
    ///
    /// # Errors
    /// When it is gone.
    pub fn anonymous_bytes(self) -> io::Result<u64> {
        let status = std::fs::read_to_string(self.path("status"))?;
        let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"));
        let kib = line.and_then(|line| line.split_whitespace().next()).and_then(|kib| kib.parse::<u64>().ok());
        kib.map(|kib| kib << 10).ok_or_else(|| io::Error::other("the kernel does not tell RssAnon"))
    }

    /// How many sockets it has open.
    ///
    /// # Errors
    /// When it is gone.
    pub fn sockets(self) -> io::Result<usize> {
        let is_socket = |path: PathBuf| {
            std::fs::read_link(path).is_ok_and(|target| target.to_string_lossy().starts_with("socket:"))
        };
        let files = std::fs::read_dir(self.path("fd"))?;
        Ok(files.flatten().filter(|file| is_socket(file.path())).count())
    }

    fn path(self, name: &str) -> PathBuf {
        PathBuf::from("/proc").join(self.0.to_string()).join(name)
    }
}
