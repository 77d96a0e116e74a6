//! A file system of its own in an image file, whose power can fail: what was not synced is gone then. Root only.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use rustix::io::Errno;
use tempfile::TempDir;

use super::fault_injection::Action;

/// A file system with its mount options.
#[derive(Debug)]
pub(crate) struct FileSystem {
    pub name: &'static str,
    /// The kernel's name.
    kind: &'static str,
    make: &'static [&'static str],
    options: &'static str,
    image_bytes: u64,
    /// Whether it can be shut down at once. If not, the image is copied after the process was killed, before the kernel
    /// writes anything else.
    has_shutdown: bool,
}

const MAKE_EXT4: &[&str] = &["mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0"];

const FILE_SYSTEMS: &[FileSystem] = &[
    FileSystem {
        name: "ext4",
        kind: "ext4",
        make: MAKE_EXT4,
        options: "loop",
        image_bytes: 96 << 20,
        has_shutdown: true,
    },
    // Without what protects programs that leave syncs out, and without commits in the background.
    FileSystem {
        name: "ext4 data=writeback",
        kind: "ext4",
        make: MAKE_EXT4,
        options: "loop,data=writeback,noauto_da_alloc,commit=300",
        image_bytes: 96 << 20,
        has_shutdown: true,
    },
    FileSystem {
        name: "xfs",
        kind: "xfs",
        make: &["mkfs.xfs", "-q", "-f"],
        options: "loop,nouuid",
        image_bytes: 320 << 20,
        has_shutdown: true,
    },
    FileSystem {
        name: "btrfs",
        kind: "btrfs",
        make: &["mkfs.btrfs", "-q", "-f"],
        options: "loop,commit=300",
        image_bytes: 192 << 20,
        has_shutdown: false,
    },
];

impl FileSystem {
    /// Those that this machine can make and mount; at least ext4.
    pub(crate) fn available() -> Vec<&'static FileSystem> {
        let known = fs::read_to_string("/proc/filesystems").expect("Linux");
        let is_known = |kind: &str| known.split_whitespace().any(|word| word == kind);
        let can_make = |make: &[&str]| Command::new(make[0]).arg("-V").output().is_ok();
        let found = FILE_SYSTEMS.iter().filter(|one| is_known(one.kind) && can_make(one.make)).collect::<Vec<_>>();
        assert!(!found.is_empty(), "needs mkfs.ext4 and a kernel with ext4");
        found
    }

    /// The fault by which the power fails before an operation.
    pub(crate) fn power_cut(&self, keep_names: bool) -> Action {
        match (self.has_shutdown, keep_names) {
            (false, _) => Action::Kill,
            (true, true) => Action::PowerCutKeepingNames,
            (true, false) => Action::PowerCut,
        }
    }
}

/// An image file, mounted or not. Dropping it unmounts it.
pub(crate) struct Disk {
    pub file_system: &'static FileSystem,
    folder: TempDir,
}

impl Disk {
    /// A formatted disk, mounted.
    pub(crate) fn format(file_system: &'static FileSystem) -> Disk {
        let disk = Disk::without_image(file_system);
        fs::File::create(disk.image()).and_then(|file| file.set_len(file_system.image_bytes)).expect("an image");
        let [program, arguments @ ..] = file_system.make else { panic!("no program") };
        run(Command::new(program).args(arguments).arg(disk.image()));
        disk.mount();
        disk
    }

    /// A mounted copy of a disk that is not mounted.
    pub(crate) fn copy(&self) -> Disk {
        let disk = Disk::without_image(self.file_system);
        copy_image(&self.image(), &disk.image());
        disk.mount();
        disk
    }

    fn without_image(file_system: &'static FileSystem) -> Disk {
        // In memory, if there is a file system in memory.
        let memory = Path::new("/dev/shm");
        let parent = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
        let folder = tempfile::Builder::new().prefix("vcq-disk-").tempdir_in(parent).expect("a folder");
        fs::create_dir(folder.path().join("root")).expect("a mount point");
        Disk { file_system, folder }
    }

    fn image(&self) -> PathBuf {
        self.folder.path().join("image")
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.folder.path().join("root")
    }

    fn mount(&self) {
        let mut mount = Command::new("mount");
        mount.args(["-t", self.file_system.kind, "-o", self.file_system.options]);
        run(mount.arg(self.image()).arg(self.root()));
    }

    /// Writes everything and unmounts.
    pub(crate) fn unmount(&self) {
        for _ in 0..200 {
            if Command::new("umount").arg(self.root()).output().expect("umount").status.success() {
                return;
            }
            // A file may be in use for some more milliseconds after its process ended.
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("{} is in use", self.root().display());
    }

    /// Mounts what is left after the power failed, which happened in the last process.
    pub(crate) fn restore_power(&self) {
        if self.file_system.has_shutdown {
            let written = fs::write(self.root().join("after-the-cut"), "x");
            assert_eq!(
                written.err().and_then(|error| error.raw_os_error()),
                Some(Errno::IO.raw_os_error()),
                "no power"
            );
            self.unmount();
        } else {
            let left = self.folder.path().join("left");
            copy_image(&self.image(), &left);
            self.unmount();
            copy_image(&left, &self.image());
        }
        self.mount();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // With its loop device, which is freed with the last use of it.
        let _ = Command::new("umount").arg("--lazy").arg(self.root()).output();
    }
}

fn copy_image(from: &Path, to: &Path) {
    run(Command::new("cp").arg("--sparse=always").arg(from).arg(to));
}

fn run(command: &mut Command) {
    let ran = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(ran.status.success(), "{command:?}: {}", String::from_utf8_lossy(&ran.stderr));
}
