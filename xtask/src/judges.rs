//! `cargo xtask judges`: what others wrote judges the release binary.
//!
//! A program and its tests come from the same hands and can agree on the same mistake. Here the kernel's file systems,
//! mounted from images that their own tools made, and `find`, `du` and `strace` say what is true. Every judge sees the
//! product only as its user does: by command line, exit code, output, and what is on the disk afterwards.
//!
//! Judges need root, loop devices and Debian packages (`.ci/run` installs them); one that lacks something says so and
//! is skipped, which `--require` makes a failure.

mod btrfs;
mod c;
mod case;
mod dedupe;
mod doctor;
mod ext4;
mod kill;
mod lab;
mod limits;
mod mounts;
mod ntfs;
mod ntfs3;
mod ntfs_format;
mod ntfs_million;
mod ntfs_write;
mod order;
mod snapshot;
mod story;
mod truth;
mod unprivileged;
mod watch;
mod wine;

pub(crate) use self::ntfs3::Inside;

use self::order::Company;
use crate::shell::{self, Failure, Result};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Count a judge that could not run as a failure
    #[arg(long)]
    require: bool,
    /// Run only the judges whose name contains this
    #[arg(long, value_name = "NAME")]
    only: Option<String>,
    /// Seed of the judges that edit and kill at random; printed by each of them
    #[arg(long)]
    seed: Option<u64>,
    /// Kills per kill judge
    #[arg(long, default_value_t = 300)]
    kills: u32,
    /// Seconds for which the judge of long following edits
    #[arg(long, default_value_t = 20)]
    seconds: u64,
    /// Judges at once, of those that may run beside others; one more than there are processors where this is not given
    #[arg(long, value_name = "COUNT")]
    jobs: Option<std::num::NonZeroUsize>,
    /// Judge this binary instead of building the release binary
    #[arg(long, value_name = "FILE")]
    binary: Option<std::path::PathBuf>,
    /// Print the names of the judges
    #[arg(long)]
    list: bool,
}

/// How a judge came to its end without a verdict of "ok".
pub(crate) enum Stop {
    Skipped(String),
    Failed(String),
}

pub(crate) type Verdict<T = ()> = std::result::Result<T, Stop>;

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure.0)
    }
}

impl From<String> for Stop {
    fn from(text: String) -> Self {
        Self::Failed(text)
    }
}

impl From<std::io::Error> for Stop {
    fn from(error: std::io::Error) -> Self {
        Self::Failed(error.to_string())
    }
}

impl From<rustix::io::Errno> for Stop {
    fn from(error: rustix::io::Errno) -> Self {
        Self::Failed(error.to_string())
    }
}

/// One judge: its name, what it judges, and how.
struct Judge {
    name: &'static str,
    about: &'static str,
    run: fn(&lab::Lab) -> Verdict,
    company: Company,
}

const fn judge(name: &'static str, about: &'static str, run: fn(&lab::Lab) -> Verdict) -> Judge {
    Judge {
        name,
        about,
        run,
        company: Company::Alone,
    }
}

/// A judge that takes long and may run beside others.
const fn long(name: &'static str, about: &'static str, run: fn(&lab::Lab) -> Verdict) -> Judge {
    Judge {
        company: Company::Others,
        ..judge(name, about, run)
    }
}

/// The same with the one Windows that is here.
const fn windows(name: &'static str, about: &'static str, run: fn(&lab::Lab) -> Verdict) -> Judge {
    Judge {
        company: Company::OthersThanWindows,
        ..judge(name, about, run)
    }
}

const JUDGES: &[Judge] = &[
    judge(
        "ext4-view",
        "first view, dry run, update with nothing to do, usage",
        ext4::view,
    ),
    judge(
        "ext4-name-limit",
        "65,000 names, then EMLINK explained",
        limits::names,
    ),
    judge(
        "ext4-full-disk",
        "a full disk stops the work and loses nothing",
        limits::full_disk,
    ),
    judge(
        "ext4-full-directory",
        "the view's directory cannot grow",
        limits::full_directory,
    ),
    judge(
        "ext4-immutable",
        "an immutable source file is explained",
        ext4::immutable,
    ),
    judge(
        "ext4-read-only",
        "a read-only view is a clear error",
        ext4::read_only,
    ),
    judge(
        "ext4-mounted-below",
        "a file system below a source is neither crossed nor forgotten",
        mounts::below,
    ),
    judge(
        "ext4-bind-mount",
        "EXDEV where both sides have the same device number",
        mounts::bind,
    ),
    judge(
        "ext4-calls",
        "links are relative to open directories, an idle update looks at no file",
        ext4::calls,
    ),
    judge(
        "ext4-du",
        "usage of a tree, its view and its clone equals du's totals",
        ext4::du,
    ),
    judge(
        "ext4-cost",
        "what a link costs, and nothing left behind",
        story::cost,
    ),
    judge(
        "ext4-demo",
        "the whole story, and nothing left behind",
        story::demo,
    ),
    judge(
        "xfs-view",
        "first view, update with nothing to do, usage",
        mounts::xfs,
    ),
    judge(
        "btrfs-view",
        "first view, update with nothing to do, usage",
        btrfs::view,
    ),
    judge(
        "btrfs-subvolumes",
        "EXDEV between subvolumes is explained",
        btrfs::subvolumes,
    ),
    judge("btrfs-names", "all names of a file without a scan", btrfs::names),
    judge(
        "vfat",
        "a file system without hard links is named as such",
        mounts::vfat,
    ),
    judge(
        "tmpfs-view",
        "first view, update with nothing to do, usage",
        mounts::tmpfs,
    ),
    judge(
        "overlay-view",
        "the same where d_ino cannot be trusted",
        mounts::overlay,
    ),
    judge(
        "case-insensitive",
        "names that differ in case only both get a name",
        case::insensitive,
    ),
    judge(
        "unprivileged-unreadable",
        "what cannot be read is reported and kept",
        unprivileged::unreadable,
    ),
    judge(
        "unprivileged-protected",
        "protected_hardlinks is explained",
        unprivileged::protected,
    ),
    judge(
        "unprivileged-ledger",
        "a ledger that cannot stand beside the view",
        unprivileged::ledger,
    ),
    long(
        "kill-first",
        "killed at random instants of a first build",
        kill::first_build,
    ),
    long(
        "kill-update",
        "killed at random instants of an update",
        kill::update,
    ),
    long(
        "kill-relink",
        "killed at random instants of making links of copies",
        kill::relink,
    ),
    judge(
        "doctor-attributes",
        "immutable and append-only files and directories are explained",
        doctor::attributes,
    ),
    judge(
        "doctor-read-only",
        "a file system that is mounted read-only is explained",
        doctor::read_only,
    ),
    judge(
        "doctor-overlay",
        "a file system in layers is explained",
        doctor::overlay,
    ),
    judge(
        "doctor-sshfs",
        "a network file system that lies about links is found out",
        doctor::sshfs,
    ),
    judge(
        "doctor-ownerless",
        "a file system without owners is explained",
        doctor::ownerless,
    ),
    judge(
        "doctor-protected",
        "protected_hardlinks is explained by a trial",
        doctor::protected,
    ),
    long(
        "kill-fallback",
        "SIGKILL while copies and symbolic links stand in for links: the next run makes them right",
        kill::fallback,
    ),
    long(
        "kill-watch",
        "killed at random instants of following, while edits go on",
        kill::watch,
    ),
    judge(
        "watch-moved",
        "directories, the source and the view are moved, deleted and made anew while they are followed",
        watch::moved,
    ),
    judge(
        "watch-limit",
        "the system watches three directories only: it is said, and the timer finds the rest",
        watch::limit,
    ),
    judge(
        "watch-unmounted",
        "the source's file system is unmounted while it is followed, and mounted again",
        watch::unmounted,
    ),
    judge(
        "watch-steady",
        "memory, handles, watches and ledger do not grow with what has happened",
        watch::steady,
    ),
    judge(
        "ext4-dedupe",
        "bytes freed by merging as the kernel counts them, an immutable file, and the way back",
        dedupe::ext4,
    ),
    long(
        "kill-dedupe",
        "killed at random instants while identical files are merged",
        kill::dedupe,
    ),
    long(
        "kill-split",
        "killed at random instants while names are split off",
        kill::split,
    ),
    long(
        "kill-unlink",
        "killed at random instants while names are removed: none but those that were asked for",
        kill::unlink,
    ),
    long(
        "kill-clone",
        "killed at random instants while a clone is brought up to date",
        kill::clone,
    ),
    long(
        "kill-clone-fallback",
        "SIGKILL while copies, shared blocks and symbolic links stand in for the links of a clone",
        kill::clone_fallback,
    ),
    long(
        "kill-snapshot",
        "killed at random instants of a snapshot",
        kill::snapshot,
    ),
    long(
        "snapshot-rsync",
        "equal trees, and as many files shared, as `rsync -aH --link-dest` makes",
        snapshot::rsync,
    ),
    long(
        "c-linux",
        "a C program against the shared and the static library",
        c::linux,
    ),
    windows("c-wine", "the same C program for Windows, under Wine", c::wine),
    windows("wine-build", "both targets for Windows build", wine::build),
    windows("wine-tests", "the crates' own tests under Wine", wine::tests),
    windows(
        "wine-cli",
        "the program under Wine, looked at from Linux",
        wine::cli,
    ),
    long(
        "ntfs-read",
        "paths, ids, sizes, link counts and content as ntfs-3g has them, on four shapes of volumes",
        ntfs::read,
    ),
    long(
        "ntfs-format",
        "new volumes: ntfs-3g's tools, a mount that fills them, The Sleuth Kit",
        ntfs_format::format,
    ),
    long(
        "ntfs-write",
        "13,260 operations, ours and ntfs-3g's in turns: everybody finds the same tree",
        ntfs_write::turns,
    ),
    long(
        "ntfs-million",
        "a directory of 1,000,000 names that loses nine in ten keeps its blocks half full",
        ntfs_million::half_full,
    ),
    long(
        "ntfs3-qemu",
        "10,000 operations, ours and those of Linux's ntfs3 in QEMU in turns: everybody finds the same tree",
        ntfs3::turns,
    ),
    long(
        "ntfs-sleuthkit",
        "paths and record numbers as The Sleuth Kit has them",
        ntfs::sleuthkit,
    ),
    long(
        "ntfs-large",
        "100,000 entries, 1,000 names, odd names and kinds: as ntfs-3g, The Sleuth Kit and the crate `ntfs` have them",
        ntfs::large,
    ),
    long(
        "ntfs-given",
        "42 sound volumes of others, Windows among them: as ntfs-3g and The Sleuth Kit have them",
        ntfs::given,
    ),
    long(
        "ntfs-hostile",
        "200,000 hostile inputs, prefixes and broken volumes, with little time and memory",
        ntfs::hostile,
    ),
];

pub(crate) fn run(args: &Args) -> Result {
    if args.list {
        for judge in JUDGES {
            println!("{:26}{}", judge.name, judge.about);
        }
        return Ok(());
    }
    let chosen: Vec<&Judge> = JUDGES
        .iter()
        .filter(|judge| args.only.as_deref().is_none_or(|only| judge.name.contains(only)))
        .collect();
    if chosen.is_empty() {
        return Err(Failure(
            "no judge has such a name; `--list` prints them".to_owned(),
        ));
    }
    let binary = match &args.binary {
        Some(binary) => std::path::absolute(binary)?,
        None => shell::build_release("polylink-cli", "polylink")?,
    };
    let at_once = match args.jobs {
        Some(jobs) => jobs.get(),
        // most of those wait for the disk more than they compute
        None => std::thread::available_parallelism()?.get() + 1,
    };
    let order::Ends {
        passed,
        failed,
        skipped,
    } = order::run(&chosen, at_once, |judge| {
        lab::Lab::new(&binary, args.seed, args.kills, args.seconds).and_then(|lab| (judge.run)(&lab))
    });
    println!("{passed} passed, {failed} failed, {skipped} skipped");
    if failed > 0 || (args.require && skipped > 0) {
        return Err(Failure("not every judge is content".to_owned()));
    }
    Ok(())
}
