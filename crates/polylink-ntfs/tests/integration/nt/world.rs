//! The world that the rows ask: a volume in memory, and NT's calls on it.
//!
//! Paths are `\dir\name` here, `\D:\name` is on another volume. Setting up asks nobody's rights.

mod looking;

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, OnceLock};

use polylink_nt::NtStatus;
use polylink_nt::decide::{
    Access, DispositionRequest, Manner, Mapping, Notice, OpenOptions, Origin, Share, UsnReason, VolumeFacts,
};
use polylink_nt::door::{HardLinkArgs, LongPaths, MoveArgs, MoveFlags};
use polylink_nt::info::{
    DispositionFlags, DispositionInformation, Form, InfoClass, Layout, LinkFlags, LinkInformation,
    StandardLinkInformation,
};
use polylink_ntfs::nt::{Changed, Disposition, NtVolume};
use polylink_ntfs::{FileName, FileReference, MemDevice, RecordNumber, Times, WriteOptions, Writer, nt};

use crate::write::{blank, issues};

/// Rights as rows have them.
pub(crate) const READ: Access = Access::READ_DATA;
pub(crate) const DELETE: Access = Access::DELETE;
pub(crate) const WRITE_AND_DELETE: Access = Access::GENERIC_WRITE.union(Access::DELETE);
/// Share mode 0.
pub(crate) const ALONE: Share = Share::empty();
pub(crate) const SHARED: Share = Share::all();
pub(crate) const NO_OPTIONS: OpenOptions = OpenOptions::empty();

/// What a call came to.
pub(crate) type Outcome = Result<(), NtStatus>;

/// More names than this are not looked at before and after each call.
const MANY: usize = 64;

/// A handle that was opened.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Handle(usize);

/// What a move did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Moved {
    /// It is done.
    Done,
    /// It would be copied to the other volume, then deleted.
    Copies,
    /// It is noted for the next start.
    AtReboot,
}

/// Flags that a row passes: through the classic class or the extended one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Flags {
    pub(crate) form: Form,
    pub(crate) flags: LinkFlags,
}

/// The classic class with `ReplaceIfExists` FALSE.
pub(crate) const R0: Flags = Flags {
    form: Form::Classic,
    flags: LinkFlags::empty(),
};
/// The classic class with `ReplaceIfExists` TRUE.
pub(crate) const R1: Flags = Flags {
    form: Form::Classic,
    flags: LinkFlags::REPLACE_IF_EXISTS,
};

/// The extended class with these flags.
pub(crate) const fn ex(flags: LinkFlags) -> Flags {
    Flags {
        form: Form::Extended,
        flags,
    }
}

/// A new name as a row has it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Target<'a> {
    pub(crate) path: &'a [u16],
    pub(crate) root: Option<Handle>,
    pub(crate) origin: Origin,
}

/// A local request's absolute path.
pub(crate) fn absolute(path: &[u16]) -> Target<'_> {
    Target {
        path,
        root: None,
        origin: Origin::Local,
    }
}

/// Which of the two requests of one structure.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Request {
    Link,
    Rename,
}

pub(crate) fn units(text: &str) -> Vec<u16> {
    text.encode_utf16().collect()
}

pub(crate) fn text(units: &[u16]) -> String {
    String::from_utf16_lossy(units)
}

/// The path that a row's path is for NT: another volume has a device's name.
fn nt_path(path: &[u16]) -> Vec<u16> {
    match path.strip_prefix(units(r"\D:").as_slice()) {
        Some(rest) => [units(r"\??\D:"), rest.to_vec()].concat(),
        None => path.to_vec(),
    }
}

#[derive(Clone, Debug)]
struct Opened {
    handle: nt::Handle,
    elsewhere: bool,
    access: Access,
    share: Share,
    options: OpenOptions,
}

/// All that lasts.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Snapshot {
    /// By directory and name.
    entries: BTreeMap<(RecordNumber, Vec<u16>), (FileReference, FileName)>,
    /// Times of content, record and attributes.
    files: BTreeMap<RecordNumber, (u64, u64, u32)>,
    handles: Vec<(String, StandardLinkInformation, Option<Manner>, Access)>,
}

/// The volume.
pub(crate) struct World {
    pub(crate) volume: VolumeFacts,
    pub(crate) notices: Vec<Notice>,
    pub(crate) usn: UsnReason,
    pub(crate) victim_usn: UsnReason,
    device: Arc<MemDevice>,
    writer: Arc<Writer>,
    nt: NtVolume,
    elsewhere: RefCell<Option<Arc<NtVolume>>>,
    rights: Arc<Mutex<HashMap<FileReference, Access>>>,
    handles: Vec<Option<Opened>>,
    made: usize,
    calls: usize,
    before: Option<Snapshot>,
}

/// An empty volume, formatted once.
fn empty() -> Arc<MemDevice> {
    static BYTES: OnceLock<Vec<u8>> = OnceLock::new();
    let bytes = BYTES.get_or_init(|| blank(8 << 20, 4096, 1024).bytes());
    Arc::new(MemDevice::new(bytes.clone()))
}

fn writer(device: &Arc<MemDevice>) -> Arc<Writer> {
    Arc::new(Writer::open(device.clone(), &WriteOptions::default()).unwrap())
}

impl World {
    /// An empty NTFS volume.
    pub(crate) fn new() -> Self {
        let device = empty();
        let writer = writer(&device);
        let rights: Arc<Mutex<HashMap<FileReference, Access>>> = Arc::default();
        let asked = rights.clone();
        let nt = NtVolume::new(writer.clone())
            .unwrap()
            .with_rights(move |file| asked.lock().unwrap().get(&file).copied().unwrap_or(Access::ALL));
        Self {
            volume: nt.facts(),
            notices: Vec::new(),
            usn: UsnReason::empty(),
            victim_usn: UsnReason::empty(),
            device,
            writer,
            nt,
            elsewhere: RefCell::new(None),
            rights,
            handles: Vec::new(),
            made: 0,
            calls: 0,
            before: None,
        }
    }

    pub(crate) fn nt(&self) -> &NtVolume {
        &self.nt
    }

    pub(crate) fn writer(&self) -> &Arc<Writer> {
        &self.writer
    }

    /// The volume that is `D:`.
    fn elsewhere(&self) -> Arc<NtVolume> {
        let mut elsewhere = self.elsewhere.borrow_mut();
        let mount = || Arc::new(self.nt.mount(writer(&empty()), 'D').unwrap());
        elsewhere.get_or_insert_with(mount).clone()
    }

    // ---- setting up

    fn made(&mut self) {
        self.made += 1;
        self.nt.set_facts(self.volume);
    }

    fn split<'a>(&self, path: &'a str) -> (FileReference, &'a str) {
        let (directory, name) = path.rsplit_once('\\').expect("an absolute path");
        (self.file_at(directory), name)
    }

    fn make(&mut self, path: &str, directory: bool, attributes: u32) -> FileReference {
        self.made();
        let (parent, name) = self.split(path);
        let made = if directory {
            self.writer.make_directory(parent, &units(name))
        } else {
            self.writer.create_file(parent, &units(name))
        };
        let file = made.expect("the setup's name is free");
        self.attributes(file, attributes);
        file
    }

    fn attributes(&self, file: FileReference, attributes: u32) {
        let times = Times {
            attributes: Some(attributes),
            ..Times::default()
        };
        self.writer.set_times(file, times).unwrap();
    }

    /// Makes a file.
    pub(crate) fn file(&mut self, path: &str) -> FileReference {
        self.make(path, false, 0)
    }

    /// Makes a file where its directory is there and its name is free.
    pub(crate) fn make_if_free(&mut self, path: &str) {
        self.made();
        let (path, how) = (units(path), Disposition::Create);
        if let Ok(made) = self.nt.open(None, &path, READ, SHARED, how, NO_OPTIONS) {
            self.nt.close(made).unwrap();
        }
    }

    /// Makes a directory.
    pub(crate) fn dir(&mut self, path: &str) -> FileReference {
        self.make(path, true, 0)
    }

    /// Makes a symbolic link, which is a reparse point on a file.
    pub(crate) fn symlink(&mut self, path: &str) -> FileReference {
        self.make(path, false, 0x400)
    }

    /// Gives a file one more name.
    pub(crate) fn second_name(&mut self, existing: &str, new: &str) {
        self.made();
        let file = self.file_at(existing);
        let (parent, name) = self.split(new);
        self.writer
            .link(file, parent, &units(name))
            .expect("the setup's name is free");
    }

    /// Gives a name its 8.3 twin.
    pub(crate) fn short_name(&mut self, path: &str, short: &str) {
        let (parent, name) = self.split(path);
        self.writer
            .set_short_name(parent, &units(name), Some(&units(short)))
            .expect("the setup's twin is free");
    }

    /// Adds a named stream to a file.
    pub(crate) fn stream(&mut self, path: &str, stream: &str) {
        let file = self.file_at(path);
        self.writer.write(file, &units(stream), 0, &[1; 5000]).unwrap();
    }

    pub(crate) fn read_only(&mut self, path: &str) {
        let file = self.file_at(path);
        self.attributes(file, 0x1);
    }

    /// Maps a file into memory; no handle stays.
    pub(crate) fn map(&mut self, path: &str, mapping: Mapping) {
        let access = Access::READ_ATTRIBUTES;
        let handle = self
            .nt
            .open(None, &units(path), access, SHARED, Disposition::Open, NO_OPTIONS)
            .expect("attributes only");
        self.nt.set_mapping(handle, mapping).unwrap();
        self.nt.close(handle).unwrap();
    }

    /// Sets what the caller may do to a file or directory.
    pub(crate) fn rights(&mut self, path: &str, rights: Access) {
        let file = self.file_at(path);
        self.rights.lock().unwrap().insert(file, rights);
    }

    fn open_again(&mut self, handle: Handle, more: Access, exact: bool) {
        let old = self.opened(handle).clone();
        let path = self.nt.query_name(old.handle).unwrap();
        self.nt.close(old.handle).unwrap();
        let (access, share) = (old.access | more, old.share);
        let (here, how) = (None, Disposition::Open);
        let opened = if exact {
            self.nt.open_exact(here, &path, access, share, how, old.options)
        } else {
            self.nt.open(here, &path, access, share, how, old.options)
        };
        let opened = Opened {
            handle: opened.expect("it was open"),
            ..old
        };
        self.handles[handle.0] = Some(opened);
    }

    /// From now on the handle's change time stays what it is.
    pub(crate) fn keep_change_time(&mut self, handle: Handle) {
        self.open_again(handle, Access::WRITE_ATTRIBUTES, false);
        let times = Times {
            changed: Some(crate::write::TIME),
            ..Times::default()
        };
        self.nt.set_times(self.opened(handle).handle, times).unwrap();
    }

    /// From now on names are compared exactly through the handle.
    pub(crate) fn compare_case(&mut self, handle: Handle) {
        self.open_again(handle, Access::empty(), true);
    }

    // ---- the calls

    fn opened(&self, handle: Handle) -> &Opened {
        self.handles[handle.0].as_ref().expect("the handle is open")
    }

    pub(crate) fn raw(&self, handle: Handle) -> nt::Handle {
        self.opened(handle).handle
    }

    fn begin(&mut self) {
        self.nt.set_facts(self.volume);
        self.calls += 1;
        self.before = (self.made + self.calls < MANY).then(|| self.snapshot());
    }

    fn told(&mut self, changed: Changed) {
        self.notices = changed.notices.iter().collect();
        self.usn = changed.usn;
        self.victim_usn = changed.replaced;
    }

    /// Opens a path; `file:stream` opens a stream.
    pub(crate) fn open(
        &mut self,
        path: &str,
        access: Access,
        share: Share,
        options: OpenOptions,
    ) -> Result<Handle, NtStatus> {
        self.nt.set_facts(self.volume);
        let elsewhere = path.starts_with(r"\D:");
        let path = nt_path(&units(path));
        let how = Disposition::Open;
        let handle = if elsewhere {
            self.elsewhere().open(None, &path, access, share, how, options)?
        } else {
            self.nt.open(None, &path, access, share, how, options)?
        };
        let opened = Opened {
            handle,
            elsewhere,
            access,
            share,
            options,
        };
        self.handles.push(Some(opened));
        Ok(Handle(self.handles.len() - 1))
    }

    /// Links to an absolute path.
    pub(crate) fn link(&mut self, handle: Handle, path: &str, flags: Flags) -> Outcome {
        self.ask(Request::Link, handle, absolute(&units(path)), flags)
    }

    /// Renames to an absolute path.
    pub(crate) fn rename(&mut self, handle: Handle, path: &str, flags: Flags) -> Outcome {
        self.ask(Request::Rename, handle, absolute(&units(path)), flags)
    }

    /// Either of the two: with the bytes of the structure, where it has some.
    pub(crate) fn ask(&mut self, what: Request, handle: Handle, target: Target<'_>, flags: Flags) -> Outcome {
        self.begin();
        let class = match (what, flags.form) {
            (Request::Link, Form::Classic) => InfoClass::Link,
            (Request::Link, Form::Extended) => InfoClass::LinkEx,
            (Request::Rename, Form::Classic) => InfoClass::Rename,
            (Request::Rename, Form::Extended) => InfoClass::RenameEx,
        };
        let information = LinkInformation {
            flags: flags.flags,
            root: target.root.map(|root| self.opened(root).handle.number()),
            name: nt_path(target.path),
        };
        // every other call comes from a 32-bit program
        let layout = [Layout::Bits32, Layout::Bits64][self.calls % 2];
        let handle = self.opened(handle).handle;
        let outcome = match information.encode(layout, flags.form) {
            Ok(bytes) if target.origin == Origin::Local => {
                self.nt
                    .set_information_file(handle, class.number(), &bytes, layout)
            }
            _ => self.nt.set_name(handle, class, &information, target.origin),
        };
        match outcome {
            Ok(changed) => {
                self.told(changed);
                Ok(())
            }
            Err(status) => {
                if let Some(before) = &self.before {
                    assert_eq!(&self.snapshot(), before, "a refused request changes nothing");
                }
                Err(status)
            }
        }
    }

    /// The classic disposition: delete, or do not.
    pub(crate) fn dispose(&mut self, handle: Handle, delete: bool) -> Outcome {
        let flags = if delete {
            DispositionFlags::DELETE
        } else {
            DispositionFlags::empty()
        };
        self.set_disposition(handle, Form::Classic, flags)
    }

    /// The extended disposition.
    pub(crate) fn dispose_ex(&mut self, handle: Handle, flags: DispositionFlags) -> Outcome {
        self.set_disposition(handle, Form::Extended, flags)
    }

    fn set_disposition(&mut self, handle: Handle, form: Form, flags: DispositionFlags) -> Outcome {
        self.nt.set_facts(self.volume);
        let handle = self.opened(handle).handle;
        let class = match form {
            Form::Classic => InfoClass::Disposition,
            Form::Extended => InfoClass::DispositionEx,
        };
        let outcome = match (DispositionInformation { flags }).encode(form) {
            Ok(bytes) => self
                .nt
                .set_information_file(handle, class.number(), &bytes, Layout::NATIVE),
            Err(_) => self
                .nt
                .set_disposition(handle, &DispositionRequest { form, flags }),
        };
        outcome.map(|_| ())
    }

    /// Closes a handle.
    pub(crate) fn close(&mut self, handle: Handle) {
        self.begin();
        let opened = self.opened(handle).clone();
        let closed = if opened.elsewhere {
            self.elsewhere().close(opened.handle)
        } else {
            self.nt.close(opened.handle)
        };
        self.handles[handle.0] = None;
        self.told(closed.expect("a close that removes what goes"));
    }

    /// CreateHardLink: the new name comes first.
    pub(crate) fn create_hard_link(&mut self, new: Option<&str>, existing: Option<&str>) -> Result<(), u32> {
        self.nt.set_facts(self.volume);
        let (new, existing) = (new.map(units), existing.map(units));
        self.nt
            .create_hard_link(&HardLinkArgs::new(new.as_deref(), existing.as_deref()))
    }

    /// MoveFileEx.
    pub(crate) fn move_file(
        &mut self,
        existing: Option<&str>,
        new: Option<&str>,
        flags: MoveFlags,
    ) -> Result<Moved, u32> {
        self.nt.set_facts(self.volume);
        let (existing, new) = (existing.map(units), new.map(units));
        let args = MoveArgs {
            existing: existing.as_deref(),
            new: new.as_deref(),
            flags,
            long_paths: LongPaths::default(),
        };
        self.nt.move_file_ex(&args).map(|moved| match moved {
            nt::Moved::Done => Moved::Done,
            nt::Moved::CopyThenDelete => Moved::Copies,
            nt::Moved::AtReboot => Moved::AtReboot,
        })
    }

    /// DeleteFile.
    pub(crate) fn delete_file(&mut self, path: Option<&str>) -> Result<(), u32> {
        self.nt.set_facts(self.volume);
        let path = path.map(units);
        self.nt.delete_file(path.as_deref(), LongPaths::default())
    }

    /// What the audit finds on the volume, and what it finds after the volume was mounted again.
    pub(crate) fn audits(&self) -> (Vec<String>, Vec<String>) {
        self.writer.sync().unwrap();
        let now = issues(&self.device);
        let again = NtVolume::new(self.writer.clone());
        again.expect("what was left for handles goes");
        self.writer.close().unwrap();
        (now, issues(&self.device))
    }
}

impl Drop for World {
    fn drop(&mut self) {
        // a second panic would hide the first
        if !std::thread::panicking() {
            let clean: (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
            assert_eq!(self.audits(), clean);
        }
    }
}
