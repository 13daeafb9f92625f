//! Why a file system refused, and what to do: looks at mounts, owners, attributes and limits after the fact.
//!
//! Everything here is said to a person who already has the error; nothing is decided by it. What cannot be found out
//! is not said.

mod access;
mod nt;
mod similar;

use std::path::{Path, PathBuf};

use polylink_core::{
    Fault, FaultKind, HardLinks, Kind, LinkFs, NameUnit, PathError, Stat, VolumeInfo, shown,
};
use polylink_host::facts::{self, Mount};

use crate::error::CommandError;
use crate::format::{count, size};
use crate::place;

pub(crate) use access::permissions;

/// The error with all that can be said about it.
pub(crate) fn explained(fs: &dyn LinkFs, error: &PathError) -> CommandError {
    CommandError::from_path(error).hints(hints(fs, error))
}

/// Why it was refused and what to do about it, most telling first.
pub(crate) fn hints(fs: &dyn LinkFs, error: &PathError) -> Vec<String> {
    let case = Case {
        fs,
        path: &error.path,
        to: error.to.as_deref(),
        action: error.action,
    };
    case.hints(error.fault)
}

struct Case<'a> {
    fs: &'a dyn LinkFs,
    path: &'a Path,
    to: Option<&'a Path>,
    action: &'a str,
}

impl Case<'_> {
    fn hints(&self, fault: Fault) -> Vec<String> {
        if cfg!(windows) {
            let facts = nt::Facts::gather(self.fs, self.action, self.path, self.to, fault);
            if let Some(hints) = nt::hints(fault, &facts) {
                return hints;
            }
        }
        match fault.kind() {
            FaultKind::CrossesVolumes => self.crosses(),
            FaultKind::NotPermitted => self.not_permitted(),
            FaultKind::TooManyLinks => self.too_many(),
            FaultKind::Exists => self.exists(),
            FaultKind::NotFound => self.not_found(),
            FaultKind::NotDirectory => self.not_directory(),
            FaultKind::AccessDenied => access::hints(self.all_paths()),
            FaultKind::ReadOnly => self.read_only(),
            FaultKind::NoSpace => self.no_space(),
            FaultKind::NameTooLong => self.too_long(),
            FaultKind::IsDirectory => self.is_directory(),
            FaultKind::Unsupported => self.unsupported(),
            FaultKind::TooManyOpen => {
                vec!["the limit of open files is reached: 'ulimit -n' shows it and raises it".into()]
            }
            FaultKind::SymlinkMet => vec!["name the directory itself, not a symbolic link to it".into()],
            FaultKind::Io => {
                vec!["the disk or its connection failed: the kernel's log ('dmesg') says more".into()]
            }
            FaultKind::Stale => {
                vec!["somebody removed or replaced it meanwhile: run the command again".into()]
            }
            FaultKind::Busy => vec!["somebody is using it: try again later".into()],
            _ => Vec::new(),
        }
    }

    /// The path that is new or is changed.
    fn target(&self) -> &Path {
        self.to.unwrap_or(self.path)
    }

    fn all_paths(&self) -> impl Iterator<Item = access::Need<'_>> {
        let changes = !matches!(self.action, "read" | "find" | "open" | "look at");
        let needs = |path, is_target| access::Need {
            path,
            change: changes && is_target,
        };
        [
            Some(needs(self.path, self.to.is_none())),
            self.to.map(|to| needs(to, true)),
        ]
        .into_iter()
        .flatten()
    }

    fn stat(&self, path: &Path) -> Option<Stat> {
        place::stat(self.fs, path).ok()
    }

    fn volume_of_new(&self) -> Option<VolumeInfo> {
        // the directory itself may have to be made yet
        let mut above = place::parent(self.target()).ancestors();
        above.find_map(|dir| {
            self.volume_at(if dir.as_os_str().is_empty() {
                ".".as_ref()
            } else {
                dir
            })
        })
    }

    fn volume_at(&self, dir: &Path) -> Option<VolumeInfo> {
        self.fs.open_dir(dir).and_then(|dir| self.fs.volume(&dir)).ok()
    }

    fn crosses(&self) -> Vec<String> {
        let Some(to) = self.to else {
            return Vec::new();
        };
        let near = |path: &Path| {
            let dir = if place::is_dir(path) {
                path
            } else {
                place::parent(path)
            };
            Some((dir.to_path_buf(), facts::mount_of(dir).ok()?))
        };
        let (Some((from_dir, from)), Some((to_dir, to_mount))) = (near(self.path), near(to)) else {
            return vec!["a hard link is a further name in the same file system, never in another".into()];
        };
        let device = |dir: &Path| {
            self.fs
                .open_dir(dir)
                .and_then(|dir| self.fs.stat_dir(&dir))
                .map(|s| s.id.volume)
                .ok()
        };
        let from_device = device(&from_dir);
        let attributes = facts::attributes(&to_dir);
        separation(
            &Side {
                path: self.path,
                mount: &from,
            },
            &Side {
                path: to,
                mount: &to_mount,
            },
            Apart {
                one_device: from_device.is_some() && from_device == device(&to_dir),
                hands_project_down: attributes.is_some_and(|attributes| attributes.hands_project_down),
            },
        )
    }

    fn not_permitted(&self) -> Vec<String> {
        let mut hints = Vec::new();
        let existing = self.stat(self.path);
        if existing.is_some_and(|stat| stat.kind == Kind::Directory) {
            return directories(self.path);
        }
        if let Some(volume) = self.volume_of_new()
            && volume.hard_links == HardLinks::No
        {
            return vec![no_hard_links(&volume.kind)];
        }
        for (path, what) in [
            (self.path, "it"),
            (place::parent(self.path), "its directory"),
            (place::parent(self.target()), "the directory of the new name"),
        ]
        .into_iter()
        // where a name was to be taken from another file
        .chain(self.to.map(|to| (to, "it")))
        {
            match facts::attributes(path) {
                Some(attributes) if attributes.immutable => hints.push(format!(
                    "'{}' is immutable: 'chattr -i' on {what} lifts that (as root)",
                    shown(path)
                )),
                Some(attributes) if attributes.append_only => hints.push(format!(
                    "'{}' is append-only: 'chattr -a' on {what} lifts that (as root)",
                    shown(path)
                )),
                _ => {}
            }
        }
        if hints.is_empty() && self.action == "link" {
            hints.extend(existing.and_then(|stat| self.protected(&stat)));
        }
        if hints.is_empty() && self.action != "link" {
            hints.extend(access::sticky(self.target()));
        }
        // nothing else explains it: a file system that never said whether it has hard links
        if hints.is_empty()
            && self.action == "link"
            && let Some(volume) = self.volume_of_new()
            && volume.hard_links == HardLinks::Unknown
        {
            hints.push(seems_without_hard_links(&volume.kind));
        }
        hints
    }

    /// Whether `fs.protected_hardlinks` is in the way.
    fn protected(&self, stat: &Stat) -> Option<String> {
        let me = facts::current_user();
        let owner = stat.owner?;
        if facts::protected_hardlinks() != Some(true) || me == 0 || owner == me {
            return None;
        }
        Some(format!(
            "the system protects files of others against links (sysctl fs.protected_hardlinks = 1): '{}' is owned by {}, and \
             {} needs to own it or to be able to read and write it ({})",
            shown(self.path),
            user(owner),
            user(me),
            stat.mode.map_or_else(
                || "its permissions are not known".into(),
                |mode| format!("it is {}", permissions(mode))
            ),
        ))
    }

    fn too_many(&self) -> Vec<String> {
        let mut hints = Vec::new();
        let volume = self.volume_of_new();
        let links = self.stat(self.path).map(|stat| stat.links);
        match volume.as_ref().and_then(|v| Some((&v.kind, v.link_limit?))) {
            Some((kind, limit)) => hints.push(format!(
                "{kind} allows {} names for one file; '{}' has {}",
                count(limit),
                shown(self.path),
                links.map_or_else(|| "as many".into(), count)
            )),
            None => hints.extend(links.map(|n| format!("'{}' has {} names", shown(self.path), count(n)))),
        }
        hints.push(if cfg!(windows) {
            "copy the file and link the copy from now on, or remove names that nobody needs ('polylink names' finds them)".into()
        } else {
            "copy the file ('cp --reflink=auto' shares the data where it can) and link the copy from now on"
                .into()
        });
        hints
    }

    fn exists(&self) -> Vec<String> {
        let target = self.target();
        let Some(there) = self.stat(target) else {
            return Vec::new();
        };
        if there.kind == Kind::Directory {
            return vec![format!("'{}' is a directory", shown(target))];
        }
        if self.to.is_some() && self.stat(self.path).is_some_and(|from| from.id == there.id) {
            return vec!["both are names of one file already: there is nothing to do".into()];
        }
        if self.action != "link" {
            return Vec::new();
        }
        let mut hint = String::from(
            "'--replace' puts the link in its place, without a moment in which the name is gone",
        );
        if there.links == 1 {
            hint.push_str("; the file it names now has no other name and would go");
        }
        vec![hint]
    }

    fn not_found(&self) -> Vec<String> {
        // of a link, either the existing name or the directory of the new one may be missing
        let wanted: Vec<PathBuf> = match self.to {
            Some(to) => vec![self.path.into(), place::parent(to).into()],
            None => vec![self.path.into()],
        };
        wanted
            .iter()
            .find_map(|path| similar::missing_part(path))
            .map(|missing| similar::hints(&missing))
            .unwrap_or_default()
    }

    fn not_directory(&self) -> Vec<String> {
        [Some(self.path), self.to]
            .into_iter()
            .flatten()
            .find_map(|path| {
                // the path itself counts where it was to be opened or ends in a separator
                path.ancestors()
                    .filter(|part| !part.as_os_str().is_empty())
                    .filter(|part| *part != path || self.to.is_none() || place::wants_dir(path))
                    .find(|part| part.symlink_metadata().is_ok() && !place::is_dir(part))
                    .map(|part| vec![format!("'{}' is not a directory", shown(part))])
            })
            .unwrap_or_default()
    }

    fn read_only(&self) -> Vec<String> {
        match facts::mount_of(place::parent(self.target())) {
            Ok(mount) => vec![format!(
                "{} is mounted read-only: 'mount -o remount,rw {}' changes that (as root)",
                described(&mount),
                shown(&mount.point)
            )],
            Err(_) => Vec::new(),
        }
    }

    /// The size of a file that was to be copied.
    fn size_of_copied(&self) -> Option<u64> {
        let metadata = self.path.symlink_metadata().ok()?;
        (self.action == "copy" && metadata.is_file()).then_some(metadata.len())
    }

    fn no_space(&self) -> Vec<String> {
        let Some(volume) = self.volume_of_new() else {
            return Vec::new();
        };
        match volume.available {
            Some(0) => vec![format!(
                "the {} file system is full: a new name needs room in its directory",
                volume.kind
            )],
            // what was written of a copy is gone again by now
            Some(available) if self.size_of_copied().is_some_and(|needed| needed > available) => {
                vec![format!(
                    "it has {}, and {} are available",
                    size(self.size_of_copied().unwrap_or_default()),
                    size(available)
                )]
            }
            Some(available) => vec![format!(
                "{} are available, so a quota, the inodes ('df -i') or the size of this one directory is used up",
                size(available)
            )],
            None => Vec::new(),
        }
    }

    fn too_long(&self) -> Vec<String> {
        let Some(volume) = self.volume_of_new() else {
            return Vec::new();
        };
        let name = self.target().file_name().unwrap_or_default().as_encoded_bytes();
        let unit = match volume.names.unit {
            NameUnit::Bytes => "bytes",
            NameUnit::Utf16 => "UTF-16 units",
        };
        vec![format!(
            "the name has {} {unit}, {} allows {}",
            count(volume.names.len(name) as u64),
            volume.kind,
            volume.names.max_len
        )]
    }

    fn is_directory(&self) -> Vec<String> {
        if self.action == "link" {
            vec!["a link never takes the place of a directory".into()]
        } else {
            Vec::new()
        }
    }

    fn unsupported(&self) -> Vec<String> {
        match self.volume_of_new() {
            Some(volume) if self.action == "link" => match volume.hard_links {
                HardLinks::No => vec![no_hard_links(&volume.kind)],
                HardLinks::Unknown => vec![seems_without_hard_links(&volume.kind)],
                HardLinks::Yes => Vec::new(),
            },
            _ => Vec::new(),
        }
    }
}

/// What to do instead of linking a directory.
fn directories(path: &Path) -> Vec<String> {
    vec![
        "hard links to directories do not exist: link the files in it".into(),
        format!(
            "'polylink flat {} VIEW' makes a directory with a name for each file below it",
            shown(path)
        ),
    ]
}

/// One of two places that a link cannot join.
pub(crate) struct Side<'a> {
    pub(crate) path: &'a Path,
    pub(crate) mount: &'a Mount,
}

/// What is known of two such places together.
#[derive(Clone, Copy)]
struct Apart {
    /// Both have the same device number.
    one_device: bool,
    /// The directory of the new name is known to give its project to what is made in it.
    hands_project_down: bool,
}

/// Why two places are apart.
fn separation(from: &Side<'_>, to: &Side<'_>, apart: Apart) -> Vec<String> {
    let (a, b) = (from.mount, to.mount);
    if a.fs == "btrfs" && b.fs == "btrfs" && a.source == b.source {
        return vec![
            format!(
                "'{}' and '{}' lie in different subvolumes of one btrfs ({}): a hard link cannot leave its subvolume",
                shown(from.path),
                shown(to.path),
                a.source
            ),
            "'cp --reflink=always' makes a copy that shares the data, across subvolumes too".into(),
        ];
    }
    if apart.one_device && a.point == b.point {
        match a.fs.as_str() {
            // nothing else keeps a link away there, and not every kernel tells of xfs that a directory has a project
            "xfs" => return other_project(from, to),
            "ext4" | "f2fs" if apart.hands_project_down => return other_project(from, to),
            "ext4" | "f2fs" => return other_key(from, to),
            _ => {}
        }
    }
    if apart.one_device && a.point != b.point {
        let mut hints = vec![format!(
            "both are on one file system ({} on {}), but reached through two mounts, '{}' and '{}' (a bind mount): a link cannot \
             lead from one mount to another",
            a.fs,
            a.source,
            shown(&a.point),
            shown(&b.point)
        )];
        if let Some(other) = through(a, b, to.path) {
            hints.push(format!(
                "'{}' is the same place through the first mount",
                shown(&other)
            ));
        } else if let Some(other) = through(b, a, from.path) {
            hints.push(format!(
                "'{}' is the same file through the second mount",
                shown(&other)
            ));
        }
        return hints;
    }
    let mut hints = vec![format!(
        "'{}' is on {}; '{}' is on {}",
        shown(from.path),
        described(a),
        shown(to.path),
        described(b)
    )];
    if a.point == b.point {
        let devices = if apart.one_device {
            "one mount and one device, and yet refused"
        } else {
            "one mount, and yet two devices"
        };
        hints.push(format!(
            "{devices}: an overlay or network file system of which only a part can be linked; 'polylink doctor' tries it out"
        ));
    } else {
        hints.push(format!(
            "a hard link is a further name in the same file system: choose a new name below '{}', or copy",
            shown(&a.point)
        ));
    }
    hints
}

/// Why a link does not go from one project of a file system into another.
fn other_project(from: &Side<'_>, to: &Side<'_>) -> Vec<String> {
    let dir = place::parent(to.path);
    vec![
        format!(
            "both are on one file system ({}), but '{}' hands its project down (project quotas), and '{}' belongs to \
             another project: a link cannot lead into a directory that counts for another project",
            described(to.mount),
            shown(dir),
            shown(from.path)
        ),
        format!(
            "'lsattr -p {}' and 'lsattr -pd {}' show the projects; 'chattr -p PROJECT' gives the file that of the directory, and \
             then its bytes count there",
            shown(from.path),
            shown(dir)
        ),
    ]
}

/// Why a link does not go into an encrypted directory, or into one that is encrypted in another way (fscrypt).
fn other_key(from: &Side<'_>, to: &Side<'_>) -> Vec<String> {
    vec![format!(
        "both are on one file system ({}), but it keeps a link from '{}' to '{}': the directory of the new name is encrypted, and \
         the file is not, or with another key (fscrypt); copy it there",
        described(to.mount),
        shown(from.path),
        shown(to.path)
    )]
}

/// The path under `mount` of a place that is reached through `other`, both mounts of one file system.
fn through(mount: &Mount, other: &Mount, path: &Path) -> Option<PathBuf> {
    let parent = facts::absolute(place::parent(path)).ok()?;
    let inside = other
        .root
        .join(parent.strip_prefix(&other.point).ok()?)
        .join(path.file_name()?);
    Some(mount.point.join(inside.strip_prefix(&mount.root).ok()?))
}

/// `ext4 (/dev/sda1, mounted at '/home')`.
pub(crate) fn described(mount: &Mount) -> String {
    format!(
        "{} ({}, mounted at '{}')",
        mount.fs,
        mount.source,
        shown(&mount.point)
    )
}

pub(crate) fn no_hard_links(kind: &str) -> String {
    format!(
        "{kind} has no hard links: one file has one name there; use a file system such as ext4, xfs, btrfs or NTFS"
    )
}

fn seems_without_hard_links(kind: &str) -> String {
    format!("{kind} seems to have no hard links: one file has one name there")
}

/// A user's name, or the number where there is none.
pub(crate) fn user(uid: u32) -> String {
    facts::user_name(uid).unwrap_or_else(|| format!("user {uid}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mount(point: &str, fs: &str, root: &str, source: &str) -> Mount {
        Mount {
            point: point.into(),
            fs: fs.into(),
            root: root.into(),
            source: source.into(),
            options: "rw".into(),
        }
    }

    fn apart(a: &Mount, b: &Mount, one_device: bool) -> String {
        let apart = Apart {
            one_device,
            hands_project_down: false,
        };
        known_apart(a, b, apart)
    }

    fn known_apart(a: &Mount, b: &Mount, apart: Apart) -> String {
        let side = |path, mount| Side {
            path: Path::new(path),
            mount,
        };
        separation(&side("/a/x", a), &side("/b/y", b), apart).join("\n")
    }

    #[test]
    fn two_file_systems_are_both_named() {
        let text = apart(
            &mount("/", "ext4", "/", "/dev/sda1"),
            &mount("/b", "vfat", "/", "/dev/sdb1"),
            false,
        );
        assert!(
            text.contains("'/a/x' is on ext4 (/dev/sda1, mounted at '/')"),
            "{text}"
        );
        assert!(
            text.contains("'/b/y' is on vfat (/dev/sdb1, mounted at '/b')"),
            "{text}"
        );
        assert!(text.contains("choose a new name below '/'"), "{text}");
    }

    #[test]
    fn subvolumes_and_bind_mounts_are_told_apart() {
        let text = apart(
            &mount("/a", "btrfs", "/@a", "/dev/sda1"),
            &mount("/b", "btrfs", "/@b", "/dev/sda1"),
            false,
        );
        assert!(text.contains("different subvolumes"), "{text}");
        let text = apart(
            &mount("/", "ext4", "/", "/dev/sda1"),
            &mount("/b", "ext4", "/a/c", "/dev/sda1"),
            true,
        );
        assert!(text.contains("bind mount"), "{text}");
    }

    #[test]
    fn projects_keep_links_apart_within_one_mount() {
        let told = |fs, one_device, hands_project_down| {
            let mount = mount("/", fs, "/", "/dev/sda1");
            let apart = Apart {
                one_device,
                hands_project_down,
            };
            known_apart(&mount, &mount, apart)
        };
        for (fs, known) in [("xfs", false), ("xfs", true), ("ext4", true), ("f2fs", true)] {
            let text = told(fs, true, known);
            let words = "'/b' hands its project down (project quotas), and '/a/x' belongs to another project";
            assert!(text.contains(words), "{text}");
            assert!(text.contains("'lsattr -pd /b'"), "{text}");
        }
        let text = told("ext4", true, false);
        assert!(text.contains("encrypted") && !text.contains("project"), "{text}");
        let text = told("fuse.x", true, false);
        assert!(
            text.contains("one mount and one device, and yet refused"),
            "{text}"
        );
        let text = told("overlay", false, false);
        assert!(text.contains("one mount, and yet two devices"), "{text}");
    }

    #[cfg(unix)] // as mounts of directories are
    #[test]
    fn the_same_place_is_found_through_the_other_mount() {
        let folder = tempfile::tempdir().unwrap();
        let real = folder.path().canonicalize().unwrap();
        let bind = mount(real.to_str().unwrap(), "ext4", "/data/deep", "/dev/sda1");
        let root = mount("/mnt", "ext4", "/data", "/dev/sda1");
        assert_eq!(
            through(&root, &bind, &real.join("new")),
            Some(PathBuf::from("/mnt/deep/new"))
        );
        let elsewhere = mount("/mnt", "ext4", "/other", "/dev/sda1");
        assert_eq!(through(&elsewhere, &bind, &real.join("new")), None);
    }
}
