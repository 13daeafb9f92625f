//! Changes to names: link, rename, unlink, new directories.

use std::num::NonZeroU64;

use polylink_core::{Existing, FaultKind, FsResult, Name, NameRules};
use polylink_nt::NtStatus;
use polylink_nt::info::{
    DispositionFlags, DispositionInformation, Form, InfoClass, Layout, LinkFlags, LinkInformation,
};
use windows_sys::Wdk::Storage::FileSystem::{
    FILE_CREATE, FILE_DIRECTORY_FILE, FILE_OPEN_BY_FILE_ID, FileBasicInformation,
};
use windows_sys::Win32::Storage::FileSystem::{
    DELETE, FILE_ADD_FILE, FILE_ATTRIBUTE_NORMAL, FILE_ATTRIBUTE_READONLY, FILE_READ_ATTRIBUTES,
    FILE_WRITE_ATTRIBUTES,
};

use super::call::{Aligned, File, Open, open, units};
use super::dir::HostDir;
use super::fault::lacks_class;
use super::stat::{self, ATTRIBUTES, FILE_ITSELF, ITSELF, open_units};
use super::volume::case_rule;

/// Opens a file to give it another name. Win32 wants the right to write attributes, which newer versions of NTFS want
/// too; where we do not have it, the file system decides.
pub(super) fn open_to_link(open: impl Fn(u32) -> Result<File, NtStatus>) -> Result<File, NtStatus> {
    match open(FILE_WRITE_ATTRIBUTES) {
        Err(NtStatus::ACCESS_DENIED | NtStatus::MEDIA_WRITE_PROTECTED) => open(FILE_READ_ATTRIBUTES),
        opened => opened,
    }
}

/// Sets FILE_LINK_INFORMATION or FILE_RENAME_INFORMATION: without a root directory `name` is a path in NT's form.
pub(super) fn set_name(
    file: &File,
    class: InfoClass,
    flags: LinkFlags,
    root: Option<&File>,
    name: &[u16],
) -> Result<(), NtStatus> {
    let form = match class {
        InfoClass::LinkEx | InfoClass::RenameEx => Form::Extended,
        _ => Form::Classic,
    };
    let request = LinkInformation {
        flags,
        root: root.and_then(|root| NonZeroU64::new(root.number())),
        name: name.to_vec(),
    };
    let bytes = request
        .encode(Layout::NATIVE, form)
        .map_err(|error| error.status())?;
    file.set(class.number().cast_signed(), &bytes)
}

/// Replacing as POSIX does it: whoever has the old file open keeps it, and a read-only one does not stay in the way.
pub(super) const REPLACE_AS_POSIX: LinkFlags = LinkFlags::REPLACE_IF_EXISTS
    .union(LinkFlags::POSIX_SEMANTICS)
    .union(LinkFlags::IGNORE_READONLY_ATTRIBUTE);

pub(super) fn dispose(file: &File, flags: DispositionFlags) -> Result<(), NtStatus> {
    let extended = DispositionFlags::DELETE.complement().intersects(flags);
    let (class, form) = if extended {
        (InfoClass::DispositionEx, Form::Extended)
    } else {
        (InfoClass::Disposition, Form::Classic)
    };
    let bytes = DispositionInformation { flags }
        .encode(form)
        .map_err(|error| error.status())?;
    file.set(class.number().cast_signed(), &bytes)
}

pub(super) fn link(
    existing: &HostDir,
    existing_name: Name<'_>,
    new: &HostDir,
    new_name: Name<'_>,
) -> FsResult<()> {
    let (existing_name, new_name) = (existing.units(existing_name)?, new.units(new_name)?);
    let file = open_to_link(|access| open_units(&existing.file, &existing_name, access, ITSELF))?;
    let root = Some(&new.file);
    Ok(set_name(
        &file,
        InfoClass::Link,
        LinkFlags::empty(),
        root,
        &new_name,
    )?)
}

pub(super) fn rename(
    old: &HostDir,
    old_name: Name<'_>,
    new: &HostDir,
    new_name: Name<'_>,
    on: Existing,
) -> FsResult<()> {
    let file = old.open(old_name, DELETE | FILE_READ_ATTRIBUTES, ITSELF)?;
    let units = new.units(new_name)?;
    let set = |class, flags| set_name(&file, class, flags, Some(&new.file), &units);
    match on {
        Existing::Keep => {
            if is_another_name(&file, old, old_name, new, new_name)? {
                return Err(NtStatus::OBJECT_NAME_COLLISION.into());
            }
            Ok(set(InfoClass::Rename, LinkFlags::empty())?)
        }
        Existing::Replace => match set(InfoClass::RenameEx, REPLACE_AS_POSIX) {
            Err(status) if lacks_class(status) => replace_classic(new, new_name, || {
                set(InfoClass::Rename, LinkFlags::REPLACE_IF_EXISTS)
            }),
            renamed => Ok(renamed?),
        },
    }
}

/// Whether `new` is another name of the very file. NT renames over it even where it must not replace, and the file
/// loses a name (\[MS-FSA\] 2.1.5.15.12, TargetExistsSameFile). The same name in another case is not another name.
fn is_another_name(
    file: &File,
    old: &HostDir,
    old_name: Name<'_>,
    new: &HostDir,
    new_name: Name<'_>,
) -> FsResult<bool> {
    let target = match new.open(new_name, FILE_READ_ATTRIBUTES, ITSELF) {
        Err(fault) if fault.kind() == FaultKind::NotFound => return Ok(false),
        target => target?,
    };
    let id = old.id(file)?;
    if new.id(&target)? != id {
        return Ok(false);
    }
    let one_dir = old.id(&old.file)? == new.id(&new.file)?;
    let rules = NameRules {
        case: case_rule(&new.file),
        ..NameRules::NT
    };
    Ok(!(one_dir && rules.key(old_name) == rules.key(new_name)))
}

/// A rename that replaces, on systems before Windows 10: there a read-only file stays in the way, so it loses that
/// attribute for the moment. The attribute belongs to the file, so where that has other names it gets it back.
fn replace_classic(
    dir: &HostDir,
    victim: Name<'_>,
    rename: impl Fn() -> Result<(), NtStatus>,
) -> FsResult<()> {
    let refused = match rename() {
        Err(NtStatus::ACCESS_DENIED) => NtStatus::ACCESS_DENIED,
        renamed => return Ok(renamed?),
    };
    let rights = FILE_READ_ATTRIBUTES | FILE_WRITE_ATTRIBUTES;
    let Ok(file) = dir.open(victim, rights, FILE_ITSELF) else {
        return Err(refused.into());
    };
    let before = stat::basic(&file)?;
    if before.u32(ATTRIBUTES) & FILE_ATTRIBUTE_READONLY == 0 {
        return Err(refused.into());
    }
    let links = stat::links(&file)?;
    let id = dir.id(&file)?;
    set_attributes(&file, &before, ReadOnly::No)?;
    // an open handle, ours too, would keep it from being replaced
    drop(file);
    match rename() {
        Ok(()) if links > 1 => Ok(restore_by_id(dir, id.id, &before)?),
        Ok(()) => Ok(()),
        Err(status) => {
            let file = dir.open(victim, rights, FILE_ITSELF)?;
            if dir.id(&file)? == id {
                set_attributes(&file, &before, ReadOnly::Yes)?;
            }
            Err(status.into())
        }
    }
}

fn restore_by_id(dir: &HostDir, id: u128, before: &Aligned<40>) -> Result<(), NtStatus> {
    let low = u64::try_from(id).map_err(|_| NtStatus::INVALID_PARAMETER)?;
    let file = open_by_id(&dir.file, low, FILE_READ_ATTRIBUTES | FILE_WRITE_ATTRIBUTES)?;
    set_attributes(&file, before, ReadOnly::Yes)
}

/// Opens a file of the volume that `on` lies on by its 64-bit id.
pub(super) fn open_by_id(on: &File, id: u64, access: u32) -> Result<File, NtStatus> {
    let units = units(&id.to_le_bytes());
    open_units(on, &units, access, ITSELF | FILE_OPEN_BY_FILE_ID)
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum ReadOnly {
    Yes,
    No,
}

/// Sets the attributes that a file had, with or without read-only; its times stay, since 0 means that.
fn set_attributes(file: &File, before: &Aligned<40>, read_only: ReadOnly) -> Result<(), NtStatus> {
    let attributes = match read_only {
        ReadOnly::Yes => before.u32(ATTRIBUTES) | FILE_ATTRIBUTE_READONLY,
        ReadOnly::No => before.u32(ATTRIBUTES) & !FILE_ATTRIBUTE_READONLY,
    };
    // 0 would mean: leave them as they are
    let attributes = if attributes == 0 {
        FILE_ATTRIBUTE_NORMAL
    } else {
        attributes
    };
    let mut info = Aligned::<40>::new();
    info.0[ATTRIBUTES..ATTRIBUTES + 4].copy_from_slice(&attributes.to_le_bytes());
    file.set(FileBasicInformation, &info.0)
}

pub(super) fn unlink(dir: &HostDir, name: Name<'_>) -> FsResult<()> {
    let name = dir.units(name)?;
    let as_posix = DispositionFlags::DELETE | DispositionFlags::POSIX_SEMANTICS;
    let file = open_units(&dir.file, &name, DELETE, FILE_ITSELF)?;
    let disposed = match dispose(&file, as_posix) {
        Err(status) if lacks_class(status) => dispose(&file, DispositionFlags::DELETE),
        disposed => disposed,
    };
    drop(file);
    match disposed {
        // read-only files; only those need the right to write attributes
        Err(NtStatus::CANNOT_DELETE) => Ok(unlink_read_only(dir, &name)?),
        disposed => Ok(disposed?),
    }
}

fn unlink_read_only(dir: &HostDir, name: &[u16]) -> Result<(), NtStatus> {
    let rights = DELETE | FILE_READ_ATTRIBUTES | FILE_WRITE_ATTRIBUTES;
    let file = open_units(&dir.file, name, rights, FILE_ITSELF)?;
    let before = stat::basic(&file)?;
    if before.u32(ATTRIBUTES) & FILE_ATTRIBUTE_READONLY == 0 {
        return Err(NtStatus::CANNOT_DELETE); // for another reason, such as a program that runs from it
    }
    let flags = DispositionFlags::DELETE
        | DispositionFlags::POSIX_SEMANTICS
        | DispositionFlags::IGNORE_READONLY_ATTRIBUTE;
    match dispose(&file, flags) {
        Err(status) if lacks_class(status) => {}
        disposed => return disposed,
    }
    delete_read_only_classic(&file, &before)
}

/// Before Windows 10 only a file that can be written can be deleted. The attribute is that of the file, not of the
/// name, so where there are other names it comes back, whether the name went or not.
fn delete_read_only_classic(file: &File, before: &Aligned<40>) -> Result<(), NtStatus> {
    set_attributes(file, before, ReadOnly::No)?;
    let disposed = dispose(file, DispositionFlags::DELETE);
    let restored = set_attributes(file, before, ReadOnly::Yes);
    match (disposed, restored) {
        (Ok(()), Err(status)) if stat::links(file)? > 0 => {
            // rather all as it was than a file that lost its attribute
            dispose(file, DispositionFlags::empty())?;
            set_attributes(file, before, ReadOnly::Yes)?;
            Err(status)
        }
        (disposed, _) => disposed,
    }
}

pub(super) fn make_dir(dir: &HostDir, name: Name<'_>) -> FsResult<()> {
    let how = Open {
        access: FILE_READ_ATTRIBUTES,
        disposition: FILE_CREATE,
        options: FILE_DIRECTORY_FILE,
    };
    open(Some(&dir.file), &dir.units(name)?, how)?;
    Ok(())
}

/// Flushes a directory, which needs the right to add files to it. Where the directory or its file system does not let
/// itself be flushed so, there is nothing more that we can do: NTFS logs changes to directories in their order, so what
/// was done first is on the disk first, and all of it within seconds.
pub(super) fn sync(dir: &HostDir) -> FsResult<()> {
    let flushed = open_units(&dir.file, &[], FILE_ADD_FILE, FILE_DIRECTORY_FILE | ITSELF)
        .and_then(|writable| writable.flush());
    match flushed {
        Err(NtStatus::ACCESS_DENIED | NtStatus::INVALID_HANDLE | NtStatus::OBJECT_TYPE_MISMATCH) => Ok(()),
        Err(status) if lacks_class(status) => Ok(()),
        flushed => Ok(flushed?),
    }
}

#[cfg(test)]
mod tests {
    //! What newer systems never come to.

    use polylink_core::{At, Dir, LinkFs as _};
    use tempfile::TempDir;

    use super::*;
    use crate::HostFs;

    /// A folder with a read-only file `a`, which is also `b`, and another file `new`.
    fn setup() -> (TempDir, HostFs, Dir) {
        let folder = tempfile::tempdir().unwrap();
        let fs = HostFs::new();
        let dir = fs.open_dir(folder.path()).unwrap();
        std::fs::write(folder.path().join("new"), "new").unwrap();
        std::fs::write(folder.path().join("a"), "old").unwrap();
        let at = |name| At::new(&dir, Name::new(name));
        fs.link(at("a"), at("b")).unwrap();
        let mut permissions = std::fs::metadata(folder.path().join("a")).unwrap().permissions();
        permissions.set_readonly(true);
        std::fs::set_permissions(folder.path().join("a"), permissions).unwrap();
        (folder, fs, dir)
    }

    fn is_read_only(folder: &TempDir, name: &str) -> bool {
        std::fs::metadata(folder.path().join(name))
            .unwrap()
            .permissions()
            .readonly()
    }

    #[test]
    fn deleted_the_old_way_a_read_only_file_keeps_that_on_its_other_name() {
        let (folder, fs, dir) = setup();
        let handle: &HostDir = dir.handle().unwrap();
        let rights = DELETE | FILE_READ_ATTRIBUTES | FILE_WRITE_ATTRIBUTES;
        let file = handle.open(Name::new("a"), rights, FILE_ITSELF).unwrap();
        assert_eq!(
            dispose(&file, DispositionFlags::DELETE),
            Err(NtStatus::CANNOT_DELETE)
        );
        delete_read_only_classic(&file, &stat::basic(&file).unwrap()).unwrap();
        drop(file);
        assert!(!folder.path().join("a").exists());
        assert!(is_read_only(&folder, "b"));
        assert_eq!(fs.stat(At::new(&dir, Name::new("b"))).unwrap().links, 1);
    }

    #[test]
    fn replaced_the_old_way_a_read_only_file_keeps_that_on_its_other_name() {
        let (folder, fs, dir) = setup();
        let handle: &HostDir = dir.handle().unwrap();
        let file = handle
            .open(Name::new("new"), DELETE | FILE_READ_ATTRIBUTES, ITSELF)
            .unwrap();
        let victim = Name::new("a");
        let units = handle.units(victim).unwrap();
        // Windows refuses this itself; Wine has to be told
        let rename = || match is_read_only(&folder, "a") {
            true => Err(NtStatus::ACCESS_DENIED),
            false => set_name(
                &file,
                InfoClass::Rename,
                LinkFlags::REPLACE_IF_EXISTS,
                Some(&handle.file),
                &units,
            ),
        };
        replace_classic(handle, victim, rename).unwrap();
        drop(file);
        assert_eq!(std::fs::read(folder.path().join("a")).unwrap(), b"new");
        assert_eq!(std::fs::read(folder.path().join("b")).unwrap(), b"old");
        assert!(is_read_only(&folder, "b"));
        assert!(!is_read_only(&folder, "a"));
        assert_eq!(fs.stat(At::new(&dir, Name::new("b"))).unwrap().links, 1);
    }

    #[test]
    fn what_cannot_be_replaced_stays_read_only() {
        let (folder, _fs, dir) = setup();
        let handle: &HostDir = dir.handle().unwrap();
        let refused = replace_classic(handle, Name::new("a"), || Err(NtStatus::ACCESS_DENIED));
        assert_eq!(refused, Err(NtStatus::ACCESS_DENIED.into()));
        assert!(is_read_only(&folder, "a"));
        assert_eq!(std::fs::read(folder.path().join("a")).unwrap(), b"old");
    }
}
