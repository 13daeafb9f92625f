//! Writing to an NTFS image: many names for one file, many in one directory, a flat view.
//!
//! Every run has its own copy of the same image, made and brought to the disk outside the measured time. What is measured
//! ends when the image is on the disk: of ntfs-3g, from the first call on the mount until the driver has ended.

use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::bare_fill::name;
use super::rows::{Runner, alternate, line};
use super::{peers, timing};
use crate::shell::{self, Context as _, Failure, Result};

const IN_DIRECTORY: usize = 100_000;
const IN_VIEW: usize = 40_000;
/// Folders that the files of a view lie in.
const YEARS: usize = 20;
const MONTHS: usize = 12;
const LIMIT: &str = "20000";
const NTFS_3G: &str = "bare loop on an ntfs-3g mount";
const CRATE: &str = "crate `rust-fs-ntfs`";
/// Everything that users are told makes the driver fast.
const MOUNT_OPTIONS: &str = "no_detach,big_writes,noatime,async";

/// The contestants, and where they work.
struct Arena<'a> {
    binary: &'a Path,
    xtask: &'a Path,
    script: PathBuf,
    dir: &'a Path,
    runs: usize,
}

/// Adds names to images in `dir`.
pub(crate) fn measure(binary: &Path, xtask: &Path, dir: &Path, runs: usize) -> Result<Vec<String>> {
    let arena = Arena {
        binary,
        xtask,
        script: shell::build_example("polylink-ntfs", "script")?,
        dir,
        runs,
    };
    let mut lines = arena.names_of_one_file()?;
    lines.extend(arena.files_in_one_directory()?);
    lines.extend(arena.links_in_one_directory()?);
    lines.extend(arena.flat_view()?);
    Ok(lines)
}

/// A running ntfs-3g.
struct Mounted {
    driver: Child,
    point: tempfile::TempDir,
}

impl Mounted {
    fn new(image: &Path) -> Result<Self> {
        let program = shell::which("ntfs-3g").ok_or_else(|| Failure(peers::advice("ntfs-3g")))?;
        let point = tempfile::tempdir()?;
        let below = fs::metadata(point.path())?.dev();
        let mut mounted = Self {
            driver: Command::new(program)
                .args(["-o", MOUNT_OPTIONS])
                .arg(image)
                .arg(point.path())
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()?,
            point,
        };
        while fs::metadata(mounted.path())?.dev() == below {
            if let Some(status) = mounted.driver.try_wait()? {
                return Err(Failure(format!("ntfs-3g: {status}")));
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        Ok(mounted)
    }

    fn path(&self) -> &Path {
        self.point.path()
    }

    /// Unmounts, and waits for the driver: only then everything was written.
    fn end(mut self) -> Result {
        self.unmount()
    }

    fn unmount(&mut self) -> Result {
        shell::output(Command::new("umount").arg(self.point.path()))?;
        let status = self.driver.wait()?;
        if status.success() {
            Ok(())
        } else {
            Err(Failure(format!("ntfs-3g ended with {status}")))
        }
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        if matches!(self.driver.try_wait(), Ok(None))
            && let Err(failure) = self.unmount()
        {
            eprintln!("warning: {failure}");
        }
    }
}

/// Returns once a file is on the disk.
fn settle(path: &Path) -> Result {
    File::open(path).at(path)?.sync_all().at(path)
}

impl Arena<'_> {
    fn polylink(&self, args: &[&str]) -> Command {
        let mut command = Command::new(self.binary);
        command.args(args);
        command
    }

    /// Makes a volume with what a script does.
    fn prepare(&self, title: &str, size: &str, record: &str, text: &str) -> Result<PathBuf> {
        let image = self.dir.join(format!("{title}.img"));
        let mut format = self.polylink(&["ntfs", "format", "--quiet", "--record", record, "--size", size]);
        shell::output(format.arg(&image))?;
        let path = self.script_file(title, text)?;
        self.run_script(&image, &path)?;
        Ok(image)
    }

    fn script_file(&self, title: &str, text: &str) -> Result<PathBuf> {
        let path = self.dir.join(format!("{title}.script"));
        fs::write(&path, text).at(&path)?;
        Ok(path)
    }

    /// Our engine does what a script says, all in one process as a program that links the library would.
    fn run_script(&self, image: &Path, script: &Path) -> Result<Duration> {
        let answers = self.dir.join("answers");
        let mut command = Command::new(&self.script);
        command
            .arg(image)
            .arg(LIMIT)
            .stdin(File::open(script).at(script)?)
            .stdout(File::create(&answers).at(&answers)?);
        let start = Instant::now();
        shell::run(&mut command)?;
        settle(image)?;
        let time = start.elapsed();
        let answers = fs::read_to_string(&answers).at(&answers)?;
        match answers.lines().find(|answer| *answer != "ok") {
            None => Ok(time),
            Some(answer) => Err(Failure(format!("our engine answers {answer}"))),
        }
    }

    /// A copy of an image for one run, with its holes, on the disk.
    fn copy(&self, image: &Path) -> Result<PathBuf> {
        let folder = self.dir.join("run");
        if folder.exists() {
            fs::remove_dir_all(&folder).at(&folder)?;
        }
        fs::create_dir(&folder).at(&folder)?;
        let copy = folder.join("volume.img");
        let mut command = Command::new("cp");
        shell::output(command.arg("--sparse=always").arg(image).arg(&copy))?;
        settle(&copy)?;
        Ok(copy)
    }

    /// The time of a program on a fresh mount of an image, until the driver has ended.
    fn through_mount(
        &self,
        image: &Path,
        command: impl FnOnce(&Path) -> Result<Command>,
    ) -> Result<Duration> {
        let copy = self.copy(image)?;
        let mounted = Mounted::new(&copy)?;
        let mut command = command(mounted.path())?;
        let start = Instant::now();
        timing::time(&mut command)?;
        mounted.end()?;
        settle(&copy)?;
        Ok(start.elapsed())
    }

    fn bare_fill(&self, mount: &Path, count: usize, of: Option<&str>) -> Command {
        let mut command = Command::new(self.xtask);
        command
            .arg("bare-fill")
            .arg(mount.join("names"))
            .arg(count.to_string());
        if let Some(file) = of {
            command.arg("--of").arg(mount.join(file));
        }
        command
    }

    /// What the crate does before it refuses: how many, and in what time.
    fn crate_fills(&self, image: &Path, what: &str, count: usize) -> Result<(Duration, usize, String)> {
        let copy = self.copy(image)?;
        let image = copy.to_string_lossy().into_owned();
        let count = count.to_string();
        let mut command = peers::command(peers::FS_NTFS_CRATE, &[&image, what, &count])?;
        let start = Instant::now();
        let output = shell::output(&mut command)?;
        let time = start.elapsed();
        let text = String::from_utf8_lossy(&output).into_owned();
        let (done, why) = text.split_once('\n').unwrap_or((&text, ""));
        let done = done
            .parse()
            .map_err(|_| Failure(format!("the crate said `{text}`")))?;
        Ok((time, done, why.trim().to_owned()))
    }

    /// Lines that hold us against the crate, for as many names as it can make.
    fn against_crate(
        &self,
        image: &Path,
        work: &str,
        what: &str,
        script: impl Fn(usize) -> String,
    ) -> Result<Vec<String>> {
        let (done, why) = match self.crate_fills(image, what, IN_DIRECTORY) {
            Ok((_, done, why)) => (done, why),
            Err(Failure(reason)) => {
                return Ok(vec![format!("| {work} | - | {CRATE} | - | - | - | {reason} |")]);
            }
        };
        let script = self.script_file("crate", &script(done))?;
        let mut runners = [
            Runner::new(
                "our engine",
                || self.run_script(&self.copy(image)?, &script),
                || Ok(()),
            ),
            Runner::new(
                CRATE,
                || self.crate_fills(image, what, done).map(|(time, ..)| time),
                || Ok(()),
            ),
        ];
        alternate(&mut runners, self.runs)?;
        let [ours, peer] = &runners;
        let why: String = why
            .chars()
            .filter(|letter| !"|\n".contains(*letter))
            .take(90)
            .collect();
        Ok(vec![line(
            &format!("{done} {work}, where the crate stops: {why}"),
            ours,
            peer,
            None,
        )])
    }

    fn names_of_one_file(&self) -> Result<Vec<String>> {
        let text = "create\t/the file\t5000\t1\nmkdir\t/names\n";
        let image = self.prepare("one", "2G", "1024", text)?;
        let links = |count: usize| {
            let line = |index| format!("link\t/the file\t/names/{}\n", name(index));
            (0..count).map(line).collect::<String>()
        };
        let (mut lines, mut each) = (Vec::new(), Vec::new());
        for (count, peer_runs) in [(1_023, self.runs), (8_000, 1)] {
            let script = self.script_file("names", &links(count))?;
            let mut ours = [Runner::new(
                "our engine",
                || self.run_script(&self.copy(&image)?, &script),
                || Ok(()),
            )];
            alternate(&mut ours, self.runs)?;
            let title = if count > 1_023 {
                "bare loop on an ntfs-3g mount, once"
            } else {
                NTFS_3G
            };
            let mut peer = Runner::new(
                title,
                || self.through_mount(&image, |mount| Ok(self.bare_fill(mount, count, Some("the file")))),
                || Ok(()),
            );
            for _ in 0..peer_runs {
                match (peer.start)() {
                    Ok(time) => peer.times.push(time),
                    Err(Failure(reason)) => peer.missing = Some(reason),
                }
            }
            lines.push(line(
                &format!("{count} further names of one file"),
                &ours[0],
                &peer,
                Some(0.02),
            ));
            let one = |time: Duration| time.as_secs_f64() * 1e6 / count as f64;
            each.push((one(ours[0].times.median()), one(peer.times.median())));
        }
        if let [(few, peer_few), (many, peer_many)] = each[..] {
            lines.push(format!(
                "| one further name, of 1,023 and of 8,000 | {few:.1} µs, {many:.1} µs | {NTFS_3G} | {peer_few:.0} µs, \
                 {peer_many:.0} µs | {:.2} | ≤ 1.20: linear | {} |",
                many / few,
                if many <= few * 1.2 { "yes" } else { "no" }
            ));
        }
        for record in ["1024", "4096"] {
            let image = self.prepare(&format!("one-{record}"), "64M", record, text)?;
            let work = format!("further names of one file, records of {record} bytes");
            lines.extend(self.against_crate(&image, &work, "link", links)?);
        }
        Ok(lines)
    }

    fn files_in_one_directory(&self) -> Result<Vec<String>> {
        let image = self.prepare("empty", "2G", "1024", "mkdir\t/names\n")?;
        let files = |count: usize| {
            let line = |index| format!("create\t/names/{}\t0\t0\n", name(index));
            (0..count).map(line).collect::<String>()
        };
        let script = self.script_file("files", &files(IN_DIRECTORY))?;
        let mut runners = [
            Runner::new(
                "our engine",
                || self.run_script(&self.copy(&image)?, &script),
                || Ok(()),
            ),
            Runner::new(
                NTFS_3G,
                || self.through_mount(&image, |mount| Ok(self.bare_fill(mount, IN_DIRECTORY, None))),
                || Ok(()),
            ),
        ];
        alternate(&mut runners, self.runs)?;
        let [ours, peer] = &runners;
        let work = format!("{IN_DIRECTORY} new files in one directory");
        let mut lines = vec![line(&work, ours, peer, Some(0.1))];
        lines.extend(self.against_crate(&image, "new files in one directory", "create", files)?);
        Ok(lines)
    }

    /// A tree of years and months, and the paths of its files.
    fn tree(count: usize) -> (String, Vec<String>) {
        let months = YEARS * MONTHS;
        let mut text = String::from("mkdir\t/tree\n");
        let mut paths = Vec::with_capacity(count);
        for month in 0..months {
            let year = 2001 + month / MONTHS;
            if month % MONTHS == 0 {
                text.push_str(&format!("mkdir\t/tree/{year}\n"));
            }
            let folder = format!("/tree/{year}/{:02}", 1 + month % MONTHS);
            text.push_str(&format!("mkdir\t{folder}\n"));
            for at in count * month / months..count * (month + 1) / months {
                let path = format!("{folder}/img_{year}{:02}_{at:07}.jpg", 1 + month % MONTHS);
                text.push_str(&format!("create\t{path}\t{}\t{}\n", 200 + at % 300, at % 251));
                paths.push(path);
            }
        }
        (text, paths)
    }

    /// The bare loop links every file of a tree into the directory `view`.
    fn bare_link(&self, mount: &Path, paths: &[String]) -> Result<Command> {
        let list = self.dir.join("list");
        let mut out = std::io::BufWriter::new(File::create(&list).at(&list)?);
        for path in paths {
            write!(out, "{}{path}\0", mount.display())?;
        }
        out.flush()?;
        // the list ends without a separator
        drop(out);
        let file = fs::OpenOptions::new().write(true).open(&list).at(&list)?;
        let len = file.metadata().at(&list)?.len();
        file.set_len(len.saturating_sub(1)).at(&list)?;
        let mut command = Command::new(self.xtask);
        command.arg("bare-link").arg(&list).arg(mount.join("view"));
        Ok(command)
    }

    fn links_in_one_directory(&self) -> Result<Vec<String>> {
        let (text, paths) = Self::tree(IN_DIRECTORY);
        let image = self.prepare("tree", "2G", "1024", &text)?;
        let links: String = paths
            .iter()
            .map(|path| {
                let last = path.rsplit('/').next().unwrap_or_default();
                format!("link\t{path}\t/view/{last}\n")
            })
            .collect();
        let script = self.script_file("links", &format!("mkdir\t/view\n{links}"))?;
        let mut runners = [
            Runner::new(
                "our engine",
                || self.run_script(&self.copy(&image)?, &script),
                || Ok(()),
            ),
            Runner::new(
                NTFS_3G,
                || self.through_mount(&image, |mount| self.bare_link(mount, &paths)),
                || Ok(()),
            ),
        ];
        alternate(&mut runners, self.runs)?;
        let [ours, peer] = &runners;
        let work = format!("{IN_DIRECTORY} links in one directory");
        Ok(vec![line(&work, ours, peer, Some(0.1))])
    }

    fn flat_view(&self) -> Result<Vec<String>> {
        let (text, paths) = Self::tree(IN_VIEW);
        let image = self.prepare("photos", "1G", "1024", &text)?;
        let ours = || {
            let copy = self.copy(&image)?;
            let mut command = self.polylink(&["flat", "--quiet", "--image"]);
            command.arg(&copy).args(["/tree", "/view"]);
            let start = Instant::now();
            timing::time(&mut command)?;
            settle(&copy)?;
            Ok(start.elapsed())
        };
        let find = || {
            self.through_mount(&image, |mount| {
                fs::create_dir(mount.join("view"))?;
                let mut command = Command::new("find");
                command
                    .arg(mount.join("tree"))
                    .args(["-type", "f", "-exec", "ln", "-t"])
                    .arg(mount.join("view"))
                    .args(["{}", "+"]);
                Ok(command)
            })
        };
        let mut runners = [
            Runner::new("polylink flat --image", ours, || Ok(())),
            Runner::new("`find -exec ln -t` on an ntfs-3g mount", find, || Ok(())),
            Runner::new(
                NTFS_3G,
                || self.through_mount(&image, |mount| self.bare_link(mount, &paths)),
                || Ok(()),
            ),
        ];
        alternate(&mut runners, self.runs)?;
        let [ours, find, bare] = &runners;
        let work = format!("flat view of {IN_VIEW} files");
        Ok(vec![
            line(&work, ours, find, Some(0.05)),
            line(&work, ours, bare, None),
        ])
    }
}
