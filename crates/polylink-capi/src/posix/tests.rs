//! The rules over the model of a file system, which can be what no folder of a test machine is.

use std::path::Path;

use polylink_core::{
    At, Code, Dir, DirBatch, Existing, Fault, FaultKind, FsResult, HardLinks, LinkFs, MemFs, MemOptions,
    More, Stat, VolumeInfo,
};
use polylink_nt::NtStatus;
use polylink_nt::info::{Form, LinkFlags, LinkInformation};

use super::file::Opened;
use super::link_by_path;

/// The model, with another volume around it and a link that is refused.
#[derive(Default)]
struct Odd {
    fs: MemFs,
    read_only: bool,
    no_hard_links: bool,
    link: Option<Fault>,
    /// What opening the directory `/dir` comes to.
    dir: Option<Fault>,
}

impl LinkFs for Odd {
    fn open_dir(&self, path: &Path) -> FsResult<Dir> {
        match self.dir {
            Some(fault) if path == Path::new("/dir") => Err(fault),
            _ => self.fs.open_dir(path),
        }
    }
    fn open_child(&self, at: At<'_>) -> FsResult<Dir> {
        self.fs.open_child(at)
    }
    fn read_dir(&self, dir: &Dir, batch: &mut DirBatch) -> FsResult<More> {
        self.fs.read_dir(dir, batch)
    }
    fn stat(&self, at: At<'_>) -> FsResult<Stat> {
        self.fs.stat(at)
    }
    fn stat_dir(&self, dir: &Dir) -> FsResult<Stat> {
        self.fs.stat_dir(dir)
    }
    fn link(&self, existing: At<'_>, new: At<'_>) -> FsResult<()> {
        match self.link {
            Some(fault) => Err(fault),
            None => self.fs.link(existing, new),
        }
    }
    fn rename(&self, old: At<'_>, new: At<'_>, on: Existing) -> FsResult<()> {
        self.fs.rename(old, new, on)
    }
    fn unlink(&self, at: At<'_>) -> FsResult<()> {
        self.fs.unlink(at)
    }
    fn make_dir(&self, at: At<'_>) -> FsResult<()> {
        self.fs.make_dir(at)
    }
    fn sync(&self, dir: &Dir) -> FsResult<()> {
        self.fs.sync(dir)
    }
    fn names_of(&self, at: At<'_>) -> FsResult<Option<Vec<std::path::PathBuf>>> {
        self.fs.names_of(at)
    }
    fn volume(&self, dir: &Dir) -> FsResult<VolumeInfo> {
        Ok(VolumeInfo {
            read_only: self.read_only,
            hard_links: if self.no_hard_links {
                HardLinks::No
            } else {
                HardLinks::Yes
            },
            ..self.fs.volume(dir)?
        })
    }
}

fn filled(fs: MemFs) -> MemFs {
    fs.mkdir("/dir").unwrap();
    fs.create("/a", 1).unwrap();
    fs.create("/b", 2).unwrap();
    fs.mount("/other").unwrap();
    fs.create("/other/c", 3).unwrap();
    fs
}

fn odd() -> Odd {
    Odd {
        fs: filled(MemFs::new()),
        ..Odd::default()
    }
}

/// The status and the errno of a link by path.
fn link(fs: &dyn LinkFs, existing: &str, new: &str, on: Existing) -> Result<(), (NtStatus, i32)> {
    link_by_path(fs, Path::new(existing), Path::new(new), on)
        .map_err(|failure| (failure.status.unwrap(), failure.errno))
}

fn status(fs: &dyn LinkFs, existing: &str, new: &str) -> NtStatus {
    link(fs, existing, new, Existing::Keep).unwrap_err().0
}

#[test]
fn another_volume_comes_before_what_the_file_is_and_what_stands_there() {
    let fs = filled(MemFs::new());
    assert_eq!(status(&fs, "/a", "/other/new"), NtStatus::NOT_SAME_DEVICE);
    assert_eq!(status(&fs, "/a", "/other/c"), NtStatus::NOT_SAME_DEVICE);
    assert_eq!(status(&fs, "/other/c", "/new"), NtStatus::NOT_SAME_DEVICE);
    let replaced = link(&fs, "/a", "/other/c", Existing::Replace);
    assert_eq!(replaced.unwrap_err(), (NtStatus::NOT_SAME_DEVICE, 18));
    assert_eq!(status(&fs, "/a", "/other"), NtStatus::OBJECT_NAME_COLLISION);
}

#[test]
fn at_the_link_limit_a_file_gets_no_name_and_replaces_none() {
    let fs = filled(MemFs::with(MemOptions {
        link_limit: 3,
        ..MemOptions::default()
    }));
    link(&fs, "/a", "/a2", Existing::Keep).unwrap();
    link(&fs, "/a", "/a3", Existing::Keep).unwrap();
    let names = fs.all_names();
    for (new, on) in [
        ("/a4", Existing::Keep),
        ("/b", Existing::Keep),
        ("/b", Existing::Replace),
        ("/a2", Existing::Replace),
    ] {
        assert_eq!(
            link(&fs, "/a", new, on),
            Err((NtStatus::TOO_MANY_LINKS, 31)),
            "{new}"
        );
    }
    assert_eq!(fs.all_names(), names);
}

#[test]
fn a_volume_that_cannot_be_written_or_has_no_hard_links_says_so_before_the_name_is_looked_at() {
    let mut fs = odd();
    fs.read_only = true;
    fs.no_hard_links = true;
    assert_eq!(status(&fs, "/a", "/b"), NtStatus::MEDIA_WRITE_PROTECTED);
    assert_eq!(status(&fs, "/dir", "/new"), NtStatus::MEDIA_WRITE_PROTECTED);
    assert_eq!(status(&fs, "/absent", "/new"), NtStatus::OBJECT_NAME_NOT_FOUND);
    fs.read_only = false;
    assert_eq!(status(&fs, "/a", "/b"), NtStatus::NOT_SUPPORTED);
    assert_eq!(status(&fs, "/dir", "/new"), NtStatus::FILE_IS_A_DIRECTORY);
    fs.no_hard_links = false;
    link(&fs, "/a", "/new", Existing::Keep).unwrap();
}

#[test]
fn what_the_system_refuses_in_the_act_has_its_status_and_its_own_errno() {
    let mut fs = odd();
    for (kind, wanted) in [
        (FaultKind::NoSpace, NtStatus::DISK_FULL),
        (FaultKind::NotPermitted, NtStatus::ACCESS_DENIED),
        (FaultKind::AccessDenied, NtStatus::ACCESS_DENIED),
        (FaultKind::ReadOnly, NtStatus::MEDIA_WRITE_PROTECTED),
        (FaultKind::CrossesVolumes, NtStatus::NOT_SAME_DEVICE),
        (FaultKind::TooManyLinks, NtStatus::TOO_MANY_LINKS),
        (FaultKind::Exists, NtStatus::OBJECT_NAME_COLLISION),
        (FaultKind::NotFound, NtStatus::OBJECT_NAME_NOT_FOUND),
        (FaultKind::Unsupported, NtStatus::NOT_SUPPORTED),
        (FaultKind::IsDirectory, NtStatus::ACCESS_DENIED),
        (FaultKind::Io, crate::status::IO_DEVICE_ERROR),
        (FaultKind::Other, crate::status::UNSUCCESSFUL),
    ] {
        fs.link = Some(Fault::new(kind, Code::Errno(1234), "EODD"));
        assert_eq!(
            link(&fs, "/a", "/new", Existing::Keep),
            Err((wanted, 1234)),
            "{kind:?}"
        );
    }
    fs.link = None;
    fs.fs.stop_after(Some(0));
    assert_eq!(status(&fs, "/a", "/new"), crate::status::CANCELLED);
}

#[test]
fn a_directory_that_cannot_be_opened_is_the_reason_in_both_places() {
    let mut fs = odd();
    fs.fs.create("/dir/file", 4).unwrap();
    for (kind, wanted) in [
        (FaultKind::AccessDenied, NtStatus::ACCESS_DENIED),
        (FaultKind::SymlinkMet, crate::status::REPARSE_POINT_NOT_RESOLVED),
        (FaultKind::NameTooLong, NtStatus::NAME_TOO_LONG),
        (FaultKind::TooManyOpen, crate::status::TOO_MANY_OPENED_FILES),
        (FaultKind::NotFound, NtStatus::OBJECT_PATH_NOT_FOUND),
    ] {
        fs.dir = Some(Fault::new(kind, Code::Errno(1234), "EODD"));
        for (existing, new) in [("/a", "/dir/new"), ("/dir/file", "/new")] {
            assert_eq!(
                link(&fs, existing, new, Existing::Keep),
                Err((wanted, 1234)),
                "{kind:?} {new}"
            );
        }
    }
}

#[test]
fn replacing_leaves_the_name_at_every_instant() {
    for steps in 0..4 {
        let fs = filled(MemFs::new());
        fs.stop_after(Some(steps));
        let done = link(&fs, "/a", "/b", Existing::Replace);
        fs.stop_after(None);
        let names = fs.all_names();
        assert!(names.contains_key(Path::new("/b")), "{steps}");
        assert_eq!(done.is_ok(), steps == 3, "{steps}");
    }
}

#[test]
fn a_handle_asks_the_rules_as_a_path_does() {
    let fs = filled(MemFs::with(MemOptions {
        link_limit: 2,
        ..MemOptions::default()
    }));
    let file = Opened::by_path(&fs, Path::new("/a")).unwrap();
    let other = Opened::by_path(&fs, Path::new("/other")).unwrap();
    let set = |name: &str, root: Option<&Opened>, flags: LinkFlags| {
        let request = LinkInformation {
            flags,
            root: None,
            name: name.encode_utf16().collect(),
        };
        file.link(&fs, &request, root, Form::Classic)
            .map_err(|failure| failure.status.unwrap())
    };
    let none = LinkFlags::empty();
    assert_eq!(set("c", Some(&other), none), Err(NtStatus::NOT_SAME_DEVICE));
    assert_eq!(set("/other/x", None, none), Err(NtStatus::NOT_SAME_DEVICE));
    set("dir/x", None, none).unwrap_err();
    set("x", None, none).unwrap();
    assert_eq!(set("y", None, none), Err(NtStatus::TOO_MANY_LINKS));
    assert_eq!(
        set("b", None, LinkFlags::REPLACE_IF_EXISTS),
        Err(NtStatus::TOO_MANY_LINKS)
    );
    // the limit is looked at before the name, and after what the name may be
    assert_eq!(set("b", None, none), Err(NtStatus::TOO_MANY_LINKS));
    assert_eq!(set("..", None, none), Err(NtStatus::OBJECT_NAME_INVALID));
}
