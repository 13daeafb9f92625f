//! A Linux of its own in QEMU: Debian's kernel, a file system in memory with this program and busybox, and disks.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::super::lab::{Lab, needs};
use super::super::{Stop, Verdict};
use crate::shell;

/// Where `.ci/run` unpacks the kernel, below the folder that cargo builds into.
const UNPACKED: &str = "judges/linux";

/// No start takes longer; one that does has hung.
const PATIENCE: Duration = Duration::from_secs(240);

/// How long a start with KVM may take until the program speaks; otherwise KVM is of no use here.
const KVM_PATIENCE: Duration = Duration::from_secs(15);

/// What the machine says as soon as it is there.
const IS_UP: &str = "the machine is up";

/// What the machine says where nothing went wrong in it, before it is switched off.
const IS_DONE: &str = "the machine ends";

/// What a start needs, found on this machine.
pub(super) struct Guest {
    qemu: PathBuf,
    busybox: PathBuf,
    kernel: PathBuf,
    /// Further files of the memory's file system, by their paths in it.
    files: Vec<(PathBuf, Vec<u8>)>,
    accelerator: &'static str,
    why: String,
}

/// Files below a folder.
fn files(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            files(&path, found);
        } else {
            found.push(path);
        }
    }
}

/// The libraries that a program loads at its start, its loader among them.
fn libraries(program: &Path) -> Verdict<Vec<PathBuf>> {
    let text = shell::output(Command::new("ldd").arg(program))?;
    let text = String::from_utf8_lossy(&text).into_owned();
    // `libc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x…)`, and the loader without an arrow
    let paths = text.lines().filter_map(|line| {
        let line = line.rsplit_once("=>").map_or(line, |(_, path)| path);
        let path = Path::new(line.split_whitespace().next()?);
        path.is_absolute().then(|| path.to_path_buf())
    });
    Ok(paths.collect())
}

impl Guest {
    pub(super) fn new(lab: &Lab) -> Verdict<Self> {
        let qemu = needs("qemu-system-x86_64", "qemu-system-x86")?;
        let busybox = needs("busybox", "busybox-static")?;
        let dir = shell::target_dir().join(UNPACKED);
        let mut found = Vec::new();
        files(&dir, &mut found);
        let find = |start: &str| {
            let named = |path: &&PathBuf| {
                path.file_name()
                    .is_some_and(|name| name.to_string_lossy().starts_with(start))
            };
            found.iter().find(named).cloned().ok_or_else(|| {
                let reason = format!(
                    "no `{start}…` below {}: `.ci/run` unpacks Debian's kernel there",
                    dir.display()
                );
                Stop::Skipped(reason)
            })
        };
        let kernel = find("vmlinuz-")?;
        let mut files = Vec::new();
        for module in ["virtio_blk", "ntfs3"] {
            let mut command = Command::new(&busybox);
            command.args(["xz", "-dc"]).arg(find(&format!("{module}.ko"))?);
            files.push((
                PathBuf::from(format!("/{module}.ko")),
                shell::output(&mut command)?,
            ));
        }
        let program = shell::build_release("xtask", "xtask")?;
        for library in libraries(&program)? {
            let bytes = fs::read(&library)?;
            files.push((library, bytes));
        }
        files.push((PathBuf::from("/xtask"), fs::read(&program)?));
        let mut guest = Self {
            qemu,
            busybox,
            kernel,
            files,
            accelerator: "tcg",
            why: String::new(),
        };
        guest.why = guest.try_kvm(lab)?;
        Ok(guest)
    }

    /// Chooses KVM where it works, and says why not where it does not.
    fn try_kvm(&mut self, lab: &Lab) -> Verdict<String> {
        if std::env::var_os("POLYLINK_JUDGES_TCG").is_some() {
            return Ok("POLYLINK_JUDGES_TCG is set".to_owned());
        }
        if let Err(error) = fs::OpenOptions::new().read(true).write(true).open("/dev/kvm") {
            return Ok(format!("/dev/kvm: {error}"));
        }
        let console = self.started(lab, "kvm", KVM_PATIENCE, &["--version"], &[])?;
        if console.contains(IS_DONE) {
            self.accelerator = "kvm";
            return Ok(String::new());
        }
        let line = console
            .lines()
            .find(|line| line.contains("KVM"))
            .unwrap_or("no answer");
        Ok(format!("KVM is there and does not work: {line}"))
    }

    /// What runs, for people.
    pub(super) fn told(&self) -> String {
        let kernel = self.kernel.file_name().unwrap_or_default().display();
        match self.accelerator {
            "kvm" => format!("{kernel} with KVM"),
            _ => format!("{kernel} without KVM ({})", self.why),
        }
    }

    /// Starts with the disks `/dev/vda`, `/dev/vdb` and so on, runs this program inside, and answers what the console
    /// showed.
    pub(super) fn run(&self, lab: &Lab, arguments: &[&str], disks: &[&Path]) -> Verdict<String> {
        let inside: Vec<&str> = ["inside"].iter().chain(arguments).copied().collect();
        let console = self.started(lab, self.accelerator, PATIENCE, &inside, disks)?;
        // control sequences of the firmware come first
        let from = console.find(IS_UP).unwrap_or(0);
        Ok(console[from..].to_owned())
    }

    fn memory(&self, arguments: &[&str]) -> Verdict<Vec<u8>> {
        let mut archive = Archive::default();
        for dir in ["/dev", "/proc", "/mnt", "/bin"] {
            archive.directories(Path::new(dir));
        }
        archive.add(Path::new("/bin/busybox"), PROGRAM, &fs::read(&self.busybox)?);
        for (path, bytes) in &self.files {
            archive.add(path, PROGRAM, bytes);
        }
        let init = format!(
            "#!/bin/busybox sh\n\
             /bin/busybox --install -s /bin\n\
             mount -t devtmpfs dev /dev\n\
             mount -t proc proc /proc\n\
             exec >/dev/console 2>&1\n\
             echo '{IS_UP}'\n\
             insmod /virtio_blk.ko && insmod /ntfs3.ko && /xtask {} && echo '{IS_DONE}'\n\
             dmesg | grep -i ntfs3\n\
             poweroff -f\n",
            arguments.join(" ")
        );
        archive.add(Path::new("/init"), PROGRAM, init.as_bytes());
        Ok(archive.end())
    }

    /// One start to its end, which comes early where KVM says that it cannot go on.
    fn started(
        &self,
        lab: &Lab,
        accelerator: &str,
        patience: Duration,
        arguments: &[&str],
        disks: &[&Path],
    ) -> Verdict<String> {
        let memory = lab.path("memory.cpio");
        fs::write(&memory, self.memory(arguments)?)?;
        let (console, told) = (lab.path("console"), lab.path("qemu.err"));
        let mut command = Command::new(&self.qemu);
        command.args([
            "-accel",
            accelerator,
            "-m",
            "512",
            "-nodefaults",
            "-nographic",
            "-no-reboot",
        ]);
        command.args(["-serial", "stdio", "-kernel"]).arg(&self.kernel);
        command.arg("-initrd").arg(&memory);
        // on a busy machine the timer's own check can fail, since it counts on time to pass evenly
        command.args(["-append", "console=ttyS0 quiet no_timer_check panic=-1"]);
        for disk in disks {
            let drive = format!("file={},format=raw,if=virtio,cache=unsafe", disk.display());
            command.args(["-drive", &drive]);
        }
        command.stdin(Stdio::null());
        command
            .stdout(fs::File::create(&console)?)
            .stderr(fs::File::create(&told)?);
        let mut child = command.spawn()?;
        let start = Instant::now();
        let read = |path: &Path| -> Verdict<String> {
            let mut bytes = Vec::new();
            fs::File::open(path)?.read_to_end(&mut bytes)?;
            Ok(String::from_utf8_lossy(&bytes).into_owned())
        };
        while child.try_wait()?.is_none() {
            if start.elapsed() > patience || read(&told)?.contains("KVM internal error") {
                child.kill()?;
                child.wait()?;
                break;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(read(&console)? + &read(&told)?)
    }
}

const DIRECTORY: u32 = 0o40_755;
const PROGRAM: u32 = 0o100_755;

/// A cpio archive in the form that the kernel unpacks at its start ("newc").
#[derive(Default)]
struct Archive {
    bytes: Vec<u8>,
    number: u32,
    made: Vec<PathBuf>,
}

impl Archive {
    /// Adds a directory and those that it lies in.
    fn directories(&mut self, path: &Path) {
        let ways: Vec<&Path> = path.ancestors().filter(|way| way.parent().is_some()).collect();
        for way in ways.into_iter().rev() {
            if !self.made.iter().any(|made| made == way) {
                self.made.push(way.to_path_buf());
                self.entry(way, DIRECTORY, &[]);
            }
        }
    }

    fn add(&mut self, path: &Path, mode: u32, content: &[u8]) {
        if let Some(parent) = path.parent() {
            self.directories(parent);
        }
        self.entry(path, mode, content);
    }

    fn entry(&mut self, path: &Path, mode: u32, content: &[u8]) {
        let name = path.to_string_lossy();
        let name = name.trim_start_matches('/');
        self.number += 1;
        // number, mode, owner, group, links, time, length, two device numbers of two parts, length of the name, no sum
        let fields = [
            self.number,
            mode,
            0,
            0,
            1,
            0,
            content.len() as u32,
            0,
            0,
            0,
            0,
            name.len() as u32 + 1,
            0,
        ];
        self.bytes.extend(b"070701");
        for field in fields {
            self.bytes.extend(format!("{field:08X}").bytes());
        }
        self.bytes.extend(name.bytes());
        self.bytes.push(0);
        self.pad();
        self.bytes.extend(content);
        self.pad();
    }

    fn pad(&mut self) {
        let length = self.bytes.len().next_multiple_of(4);
        self.bytes.resize(length, 0);
    }

    fn end(mut self) -> Vec<u8> {
        self.entry(Path::new("/TRAILER!!!"), 0, &[]);
        self.bytes
    }
}
