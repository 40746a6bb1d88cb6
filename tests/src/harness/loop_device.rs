//! An ext4 file system in an image file, on a loop device, whose power can be cut.
//!
//! A cut is ext4's shutdown ioctl without a flush: what is not on the device stays away from it, as if the machine had
//! lost its power, and every later write or sync gets EIO. It needs root and a kernel with loop devices.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::wait;

/// Longest wait for a file system to be left.
const BUDGET: Duration = Duration::from_secs(20);
/// The kernel commits metadata by itself only after a minute and not every five seconds: what was not synced is lost.
const OPTIONS: &str = "loop,noatime,commit=60";

/// A mounted file system. Dropping it unmounts it and lets the loop device go.
#[derive(Debug)]
pub struct LoopDevice {
    image: PathBuf,
    mount: PathBuf,
}

impl LoopDevice {
    /// Makes an image of `bytes` and a file system in it, and mounts it at `mount`.
    pub fn make(image: &Path, mount: &Path, bytes: u64) -> io::Result<Self> {
        fs::create_dir_all(mount)?;
        let device = Self { image: image.to_owned(), mount: mount.to_owned() };
        device.format(bytes)?;
        device.mount()?;
        Ok(device)
    }

    /// Empties the mounted file system by making it anew.
    pub fn make_anew(&self, bytes: u64) -> io::Result<()> {
        self.unmount()?;
        self.format(bytes)?;
        self.mount()
    }

    /// Where it is mounted.
    pub fn path(&self) -> &Path {
        &self.mount
    }

    /// Where its bytes are.
    pub fn image(&self) -> &Path {
        &self.image
    }

    /// Unmounts and mounts it again: after a cut, what a machine finds when its power is back.
    pub fn remount(&self) -> io::Result<()> {
        self.unmount()?;
        self.mount()
    }

    /// Mounts it again with these options beside the usual ones.
    pub fn remount_with(&self, options: &str) -> io::Result<()> {
        self.unmount()?;
        self.mount_with(&format!("{OPTIONS},{options}"))
    }

    fn format(&self, bytes: u64) -> io::Result<()> {
        // A new file: nothing of the last file system is left in it.
        let _ = fs::remove_file(&self.image);
        File::create(&self.image)?.set_len(bytes)?;
        let mut mkfs = Command::new("mkfs.ext4");
        mkfs.args(["-q", "-F"]).arg(&self.image);
        run(mkfs)
    }

    fn mount(&self) -> io::Result<()> {
        self.mount_with(OPTIONS)
    }

    fn mount_with(&self, options: &str) -> io::Result<()> {
        let mut mount = Command::new("mount");
        mount.args(["-t", "ext4", "-o", options]).arg(&self.image).arg(&self.mount);
        run(mount)
    }

    fn unmount(&self) -> io::Result<()> {
        let mut unmount = Command::new("umount");
        unmount.arg(&self.mount);
        run(unmount)
    }
}

impl Drop for LoopDevice {
    fn drop(&mut self) {
        // A process that is about to end may hold it for a moment.
        let unmounted = wait::until("the file system to be left", BUDGET, || self.unmount().ok());
        if unmounted.is_err() {
            unmount_below(&self.mount);
        }
    }
}

/// A file system in memory, of a size that can be changed. Dropping it unmounts it.
#[derive(Debug)]
pub struct Memory {
    mount: PathBuf,
}

impl Memory {
    /// Mounts one of `bytes`.
    pub fn make(mount: &Path, bytes: u64) -> io::Result<Self> {
        fs::create_dir_all(mount)?;
        let mut command = Command::new("mount");
        command.args(["-t", "tmpfs", "-o", &format!("size={bytes}"), "tmpfs"]).arg(mount);
        run(command)?;
        Ok(Self { mount: mount.to_owned() })
    }

    /// Where it is mounted.
    pub fn path(&self) -> &Path {
        &self.mount
    }

    /// Gives it another size.
    pub fn resize(&mut self, bytes: u64) -> io::Result<()> {
        let mut command = Command::new("mount");
        command.args(["-o", &format!("remount,size={bytes}")]).arg(&self.mount);
        run(command)
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        unmount_below(&self.mount);
    }
}

fn run(mut command: Command) -> io::Result<()> {
    let output = command.output()?;
    if output.status.success() {
        return Ok(());
    }
    Err(io::Error::other(format!("{:?}: {}", command.get_program(), String::from_utf8_lossy(&output.stderr).trim())))
}

/// Detaches what a run that was killed left mounted at or below a directory.
pub fn unmount_below(directory: &Path) {
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    let points = mounts.lines().filter_map(|line| line.split(' ').nth(1)).map(PathBuf::from);
    for point in points.filter(|point| point.starts_with(directory)) {
        // Not there any more is as good as unmounted.
        let _ = Command::new("umount").arg("-l").arg(point).status();
    }
}
