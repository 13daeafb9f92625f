//! Opening what exists: \[MS-FSA\] 2.1.5.1, and the rows of other sections that come from it.

use polylink_nt::NtStatus;
use polylink_nt::decide::{Access, Lookup, Mapping, OpenOptions, OpenRequest, Share, open};

use crate::world::{ALONE, DELETE, NO_OPTIONS, READ, SHARED, World};

const DENIED: NtStatus = NtStatus::ACCESS_DENIED;
const VIOLATION: NtStatus = NtStatus::SHARING_VIOLATION;

fn world() -> World {
    let mut world = World::new();
    world.file(r"\file");
    world.dir(r"\dir");
    world.file(r"\dir\file");
    world
}

/// The status of an open, which is closed again.
fn opens(world: &mut World, path: &str, access: Access, options: OpenOptions) -> Result<(), NtStatus> {
    let handle = world.open(path, access, SHARED, options)?;
    world.close(handle);
    Ok(())
}

#[test]
fn open_what_is_not_there() {
    let mut world = world();
    let cases = [
        (r"\missing", NtStatus::OBJECT_NAME_NOT_FOUND),
        (r"\missing\file", NtStatus::OBJECT_PATH_NOT_FOUND),
        (r"\file\below", NtStatus::OBJECT_PATH_NOT_FOUND),
        (r"\fi*le", NtStatus::OBJECT_NAME_INVALID),
        (r"\d|r\file", NtStatus::OBJECT_NAME_INVALID),
    ];
    for (path, status) in cases {
        assert_eq!(opens(&mut world, path, READ, NO_OPTIONS), Err(status), "{path}");
    }
    let request = OpenRequest::new(READ, SHARED, NO_OPTIONS);
    let failed = Lookup::Failed(NtStatus::FILE_CORRUPT_ERROR);
    assert_eq!(open(&request, &failed), Err(NtStatus::FILE_CORRUPT_ERROR));
}

#[test]
fn open_below_a_directory_about_to_go() {
    let mut world = world();
    world.dir(r"\empty");
    let handle = world
        .open(r"\empty", DELETE, SHARED, NO_OPTIONS)
        .expect("a free directory");
    world.dispose(handle, true).expect("it is empty");
    let refused = opens(&mut world, r"\empty\file", READ, NO_OPTIONS);
    assert_eq!(refused, Err(NtStatus::DELETE_PENDING));
}

#[test]
fn open_as_what_it_is_not() {
    let mut world = world();
    let cases = [
        (
            r"\file",
            OpenOptions::DIRECTORY_FILE,
            Err(NtStatus::NOT_A_DIRECTORY),
        ),
        (r"\file", OpenOptions::NON_DIRECTORY_FILE, Ok(())),
        (r"\dir", OpenOptions::DIRECTORY_FILE, Ok(())),
        (
            r"\dir",
            OpenOptions::NON_DIRECTORY_FILE,
            Err(NtStatus::FILE_IS_A_DIRECTORY),
        ),
        (r"\dir", NO_OPTIONS, Ok(())),
    ];
    for (path, options, expected) in cases {
        assert_eq!(
            opens(&mut world, path, READ, options),
            expected,
            "{path} {options:?}"
        );
    }
}

#[test]
fn open_with_a_backslash_at_the_end() {
    let mut world = world();
    assert_eq!(opens(&mut world, r"\dir\", READ, NO_OPTIONS), Ok(()));
    let refused = Err(NtStatus::OBJECT_NAME_INVALID);
    assert_eq!(
        opens(&mut world, r"\dir\", READ, OpenOptions::NON_DIRECTORY_FILE),
        refused
    );
    assert_eq!(opens(&mut world, r"\file\", READ, NO_OPTIONS), refused);
    let directory = opens(&mut world, r"\file\", READ, OpenOptions::DIRECTORY_FILE);
    assert_eq!(directory, Err(NtStatus::NOT_A_DIRECTORY));
}

#[test]
fn open_with_arguments_that_contradict_each_other() {
    let mut world = world();
    let synchronous = OpenOptions::SYNCHRONOUS_IO_NONALERT;
    let both = synchronous | OpenOptions::SYNCHRONOUS_IO_ALERT;
    let unbuffered = OpenOptions::NO_INTERMEDIATE_BUFFERING;
    let directory = OpenOptions::DIRECTORY_FILE;
    let cases = [
        (READ, synchronous),
        (READ | Access::SYNCHRONIZE, both),
        (READ, OpenOptions::DELETE_ON_CLOSE),
        (Access::MAXIMUM_ALLOWED, OpenOptions::DELETE_ON_CLOSE),
        (Access::APPEND_DATA, unbuffered),
        (READ, directory | unbuffered),
        (READ, directory | OpenOptions::SEQUENTIAL_ONLY),
        (READ, directory | OpenOptions::NON_DIRECTORY_FILE),
    ];
    for (access, options) in cases {
        let refused = opens(&mut world, r"\dir", access, options);
        assert_eq!(
            refused,
            Err(NtStatus::INVALID_PARAMETER),
            "{access:?} {options:?}"
        );
    }
    assert_eq!(
        opens(&mut world, r"\dir", READ | Access::SYNCHRONIZE, synchronous),
        Ok(())
    );
    assert_eq!(opens(&mut world, r"\file", READ, unbuffered), Ok(()));
    assert_eq!(
        opens(&mut world, r"\file", READ, OpenOptions::SEQUENTIAL_ONLY),
        Ok(())
    );
    for access in [Access::empty(), Access::from_bits_retain(0x0800_0001)] {
        assert_eq!(opens(&mut world, r"\file", access, NO_OPTIONS), Err(DENIED));
    }
}

#[test]
fn open_a_read_only_file() {
    let mut world = world();
    world.read_only(r"\file");
    for access in [Access::WRITE_DATA, Access::APPEND_DATA, Access::GENERIC_WRITE] {
        assert_eq!(
            opens(&mut world, r"\file", access, NO_OPTIONS),
            Err(DENIED),
            "{access:?}"
        );
    }
    for access in [READ, DELETE, Access::WRITE_ATTRIBUTES, Access::GENERIC_READ] {
        assert_eq!(
            opens(&mut world, r"\file", access, NO_OPTIONS),
            Ok(()),
            "{access:?}"
        );
    }
    let refused = opens(&mut world, r"\file", DELETE, OpenOptions::DELETE_ON_CLOSE);
    assert_eq!(refused, Err(NtStatus::CANNOT_DELETE));
    // what a file may not, a directory may
    world.read_only(r"\dir");
    assert_eq!(opens(&mut world, r"\dir", Access::ADD_FILE, NO_OPTIONS), Ok(()));
}

/// What somebody gets who may only read the file, and has these rights on its directory.
fn maximum(parent: Access, prepare: impl Fn(&mut World)) -> Access {
    let mut world = world();
    world.rights(r"\file", READ | Access::WRITE_DATA | Access::DELETE_CHILD);
    world.rights(r"\", parent);
    prepare(&mut world);
    let handle = world
        .open(r"\file", Access::MAXIMUM_ALLOWED, SHARED, NO_OPTIONS)
        .expect("whatever there is");
    world.access(handle)
}

#[test]
fn open_with_whatever_is_allowed() {
    let own = READ | Access::WRITE_DATA | Access::DELETE_CHILD;
    assert_eq!(maximum(Access::empty(), |_| ()), own);
    assert_eq!(maximum(Access::DELETE_CHILD, |_| ()), own | DELETE);
    assert_eq!(
        maximum(Access::LIST_DIRECTORY, |_| ()),
        own | Access::READ_ATTRIBUTES
    );
    assert_eq!(maximum(Access::empty(), |world| world.read_only(r"\file")), READ);
    assert_eq!(
        maximum(Access::empty(), |world| world.volume.read_only = true),
        READ
    );
}

#[test]
fn open_with_rights_that_the_directory_gives() {
    let mut world = world();
    world.rights(r"\file", Access::empty());
    world.rights(r"\", Access::empty());
    for access in [READ, DELETE, Access::READ_ATTRIBUTES] {
        assert_eq!(opens(&mut world, r"\file", access, NO_OPTIONS), Err(DENIED));
    }
    world.rights(r"\", Access::DELETE_CHILD | Access::LIST_DIRECTORY);
    assert_eq!(opens(&mut world, r"\file", READ, NO_OPTIONS), Err(DENIED));
    assert_eq!(
        opens(&mut world, r"\file", DELETE | Access::READ_ATTRIBUTES, NO_OPTIONS),
        Ok(())
    );
}

#[test]
fn open_a_stream_of_a_file_that_is_to_be_deleted() {
    let mut world = world();
    world.stream(r"\file", "one");
    world.stream(r"\file", "two");
    let share = Share::READ | Share::WRITE;
    let file = world
        .open(r"\file", DELETE, SHARED, NO_OPTIONS)
        .expect("a free file");
    // deleting the file deletes its streams: who opens one must share that
    assert_eq!(world.open(r"\file:one", READ, share, NO_OPTIONS), Err(VIOLATION));
    world.close(file);
    let one = world
        .open(r"\file:one", READ, share, NO_OPTIONS)
        .expect("a free stream");
    assert_eq!(world.open(r"\file", DELETE, SHARED, NO_OPTIONS), Err(VIOLATION));
    // but one stream has nothing to do with another
    assert!(world.open(r"\file:two", DELETE, ALONE, NO_OPTIONS).is_ok());
    assert_eq!(
        world.open(r"\file:one", DELETE, SHARED, NO_OPTIONS),
        Err(VIOLATION)
    );
    assert!(world.open(r"\file", READ, ALONE, NO_OPTIONS).is_ok());
    world.close(one);
}

#[test]
fn open_a_stream_as_a_directory() {
    let mut world = world();
    world.stream(r"\dir", "stream");
    let refused = opens(&mut world, r"\dir:stream", READ, OpenOptions::DIRECTORY_FILE);
    assert_eq!(refused, Err(NtStatus::NOT_A_DIRECTORY));
    assert_eq!(
        opens(&mut world, r"\dir:stream", READ, OpenOptions::NON_DIRECTORY_FILE),
        Ok(())
    );
}

#[test]
fn open_a_file_that_is_mapped_as_an_image() {
    let mut world = world();
    world.map(r"\file", Mapping::Image);
    let on_close = OpenOptions::DELETE_ON_CLOSE;
    assert_eq!(
        opens(&mut world, r"\file", Access::WRITE_DATA, NO_OPTIONS),
        Err(VIOLATION)
    );
    assert_eq!(
        opens(&mut world, r"\file", DELETE, on_close),
        Err(NtStatus::CANNOT_DELETE)
    );
    assert_eq!(opens(&mut world, r"\file", DELETE | READ, NO_OPTIONS), Ok(()));
    // one of two names may go
    world.second_name(r"\file", r"\second");
    assert_eq!(opens(&mut world, r"\second", DELETE, on_close), Ok(()));
    assert_eq!(world.names(r"\"), ["dir", "file"]);
    // and mapped as data it is no image
    world.map(r"\file", Mapping::Data);
    assert_eq!(
        opens(&mut world, r"\file", Access::WRITE_DATA, NO_OPTIONS),
        Ok(())
    );
}

#[test]
fn open_a_reparse_point() {
    let mut world = world();
    world.symlink(r"\symlink");
    // what it leads to is not in this world
    let followed = opens(&mut world, r"\symlink", READ, NO_OPTIONS);
    assert_eq!(followed, Err(NtStatus::IO_REPARSE_TAG_NOT_HANDLED));
    assert_eq!(
        opens(&mut world, r"\symlink", READ, OpenOptions::OPEN_REPARSE_POINT),
        Ok(())
    );
}

#[test]
fn open_on_a_write_protected_volume() {
    let mut world = world();
    world.volume.read_only = true;
    let refused = opens(&mut world, r"\file", DELETE, OpenOptions::DELETE_ON_CLOSE);
    assert_eq!(refused, Err(NtStatus::CANNOT_DELETE));
    assert_eq!(opens(&mut world, r"\file", DELETE, NO_OPTIONS), Ok(()));
}
