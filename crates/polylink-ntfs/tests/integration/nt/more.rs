//! What only a volume has: numbers of handles, making files, paths of Win32, threads, twins and streams on the disk, and
//! what a power cut leaves.

use std::sync::Arc;

use polylink_nt::NtStatus;
use polylink_nt::decide::{Access, OpenOptions, Share};
use polylink_nt::info::{DispositionFlags, Form, InfoClass, Layout, LinkFlags, LinkInformation};
use polylink_nt::name::Namespace;
use polylink_ntfs::nt::{Disposition, Handle, NtVolume};
use polylink_ntfs::{Error, MemDevice, RecordNumber, Writer};

use super::world::{DELETE, NO_OPTIONS, R0, READ, SHARED, World, ex, units};
use crate::write::{blank, find, issues, open as write_again, reopened, used};

/// An empty volume on a device.
fn volume() -> (Arc<MemDevice>, NtVolume) {
    let device = blank(8 << 20, 4096, 1024);
    let volume = NtVolume::new(Arc::new(write_again(&device))).unwrap();
    (device, volume)
}

fn open(volume: &NtVolume, path: &str, access: Access, how: Disposition) -> Result<Handle, NtStatus> {
    volume.open(None, &units(path), access, SHARED, how, NO_OPTIONS)
}

fn make(volume: &NtVolume, path: &str) -> Handle {
    open(volume, path, READ | DELETE, Disposition::Create).unwrap()
}

fn link(volume: &NtVolume, handle: Handle, root: Option<Handle>, name: &str) -> Result<(), NtStatus> {
    let request = LinkInformation {
        flags: LinkFlags::empty(),
        root: root.map(Handle::number),
        name: units(name),
    };
    let bytes = request.encode(Layout::Bits64, Form::Classic).unwrap();
    let class = InfoClass::Link.number();
    volume
        .set_information_file(handle, class, &bytes, Layout::Bits64)
        .map(|_| ())
}

#[test]
fn a_handle_that_was_closed_is_none_and_its_number_is_not_used_at_once() {
    let (_, volume) = volume();
    let first = make(&volume, r"\file");
    assert_eq!(first.number().get() % 4, 0);
    volume.close(first).unwrap();
    assert_eq!(volume.close(first), Err(NtStatus::INVALID_HANDLE));
    assert_eq!(volume.query_links(first), Err(NtStatus::INVALID_HANDLE));
    assert_eq!(
        link(&volume, first, None, r"\link"),
        Err(NtStatus::INVALID_HANDLE)
    );
    let second = open(&volume, r"\file", READ, Disposition::Open).unwrap();
    assert_ne!(first, second);
    // nor is it a root directory
    assert_eq!(
        link(&volume, second, Some(first), "link"),
        Err(NtStatus::INVALID_HANDLE)
    );
}

#[test]
fn only_the_six_classes_are_set_and_two_are_queried() {
    let (_, volume) = volume();
    let handle = make(&volume, r"\file");
    for class in 0..100 {
        let set = volume.set_information_file(handle, class, &[], Layout::Bits64);
        let known = [10, 11, 13, 64, 65, 72].contains(&class);
        let expected = if known {
            NtStatus::INFO_LENGTH_MISMATCH
        } else {
            NtStatus::INVALID_INFO_CLASS
        };
        assert_eq!(set, Err(expected), "{class}");
        let queried = volume.query_information_file(handle, class, &mut []);
        let known = [46, 54].contains(&class);
        let expected = if known {
            NtStatus::INFO_LENGTH_MISMATCH
        } else {
            NtStatus::INVALID_INFO_CLASS
        };
        assert_eq!(queried, Err(expected), "{class}");
    }
}

#[test]
fn what_is_not_there_is_made_where_the_disposition_says_so() {
    let (device, volume) = volume();
    let missing = Err(NtStatus::OBJECT_NAME_NOT_FOUND);
    assert_eq!(open(&volume, r"\dir", READ, Disposition::Open), missing);
    let options = OpenOptions::DIRECTORY_FILE;
    let how = Disposition::Create;
    let dir = volume
        .open(None, &units(r"\dir\"), READ, SHARED, how, options)
        .unwrap();
    let below = volume.open(Some(dir), &units("file"), READ, SHARED, how, NO_OPTIONS);
    let below = below.unwrap();
    assert_eq!(volume.query_name(below), Ok(units(r"\dir\file")));
    let again = open(&volume, r"\??\c:\DIR\FILE", READ, Disposition::Create);
    assert_eq!(again, Err(NtStatus::OBJECT_NAME_COLLISION));
    let again = open(&volume, r"\??\c:\DIR\FILE", READ, Disposition::OpenIf).unwrap();
    assert_eq!(volume.file(again), volume.file(below));
    // a request that contradicts itself makes nothing
    let options = OpenOptions::DELETE_ON_CLOSE;
    let refused = volume.open(None, &units(r"\new"), READ, SHARED, how, options);
    assert_eq!(refused, Err(NtStatus::INVALID_PARAMETER));
    assert_eq!(open(&volume, r"\new", READ, Disposition::Open), missing);
    // what is made to go with its handle goes
    let temporary = volume
        .open(None, &units(r"\new"), DELETE, SHARED, how, options)
        .unwrap();
    volume.close(temporary).unwrap();
    assert_eq!(open(&volume, r"\new", READ, Disposition::Open), missing);
    // paths that lead nowhere
    let refused = open(&volume, r"relative", READ, Disposition::OpenIf);
    assert_eq!(refused, Err(NtStatus::OBJECT_PATH_SYNTAX_BAD));
    let refused = volume.open(Some(dir), &units(r"\file"), READ, SHARED, how, NO_OPTIONS);
    assert_eq!(refused, Err(NtStatus::INVALID_PARAMETER));
    let refused = open(&volume, r"\??\D:\file", READ, Disposition::OpenIf);
    assert_eq!(refused, Err(NtStatus::OBJECT_PATH_NOT_FOUND));
    volume.writer().close().unwrap();
    assert_eq!(issues(&device), [""; 0]);
}

#[test]
fn nothing_is_made_in_a_directory_about_to_go() {
    let mut world = World::new();
    world.dir(r"\dir");
    let dir = world.open(r"\dir", DELETE | READ, SHARED, NO_OPTIONS).unwrap();
    world.dispose(dir, true).unwrap();
    let below = units("file");
    let how = Disposition::Create;
    let raw = world.raw(dir);
    let made = world.nt().open(Some(raw), &below, READ, SHARED, how, NO_OPTIONS);
    assert_eq!(made, Err(NtStatus::DELETE_PENDING));
    world.close(dir);
    assert!(world.names(r"\").is_empty());
}

#[test]
fn paths_of_win32_are_made_plain() {
    let mut world = World::new();
    world.dir(r"\dir");
    world.file(r"\file");
    let links = [
        (r"dir/one", "one"),
        (r"\dir\.\..\dir\two. ", "two"),
        (r"C:dir\three", "three"),
        (r"c:/dir/four.", "four"),
        (r"\\?\C:\dir\five. ", "five. "),
        (r"\\.\C:\dir\six", "six"),
    ];
    for (path, _) in links {
        assert_eq!(
            world.create_hard_link(Some(path), Some(r"x\..\file")),
            Ok(()),
            "{path}"
        );
    }
    let mut expected = links.map(|(_, name)| name);
    expected.sort_unstable();
    assert_eq!(world.names(r"\dir"), expected);
}

#[test]
fn what_was_kept_for_handles_goes_after_a_power_cut() {
    let (device, volume) = volume();
    volume.writer().sync().unwrap();
    let file = make(&volume, r"\file");
    let victim = make(&volume, r"\victim");
    let kept = volume.file(victim).unwrap();
    volume.writer().write(kept, &[], 0, &[7; 100_000]).unwrap();
    let request = LinkInformation {
        flags: LinkFlags::REPLACE_IF_EXISTS | LinkFlags::POSIX_SEMANTICS,
        root: None,
        name: units(r"\victim"),
    };
    let bytes = request.encode(Layout::Bits32, Form::Extended).unwrap();
    let class = InfoClass::LinkEx.number();
    volume
        .set_information_file(file, class, &bytes, Layout::Bits32)
        .unwrap();
    // the file is readable as long as it is open
    assert_eq!(volume.query_standard_link(victim).unwrap().total, 1);
    assert_eq!(volume.writer().links(kept).unwrap(), 1);
    volume.writer().sync().unwrap();
    let held = used(&device);
    assert_eq!(issues(&device), [""; 0]);
    // nobody closes it
    volume.writer().close().unwrap();
    drop(volume);
    let writer = Arc::new(write_again(&device));
    let volume = NtVolume::new(writer.clone()).unwrap();
    writer.close().unwrap();
    assert_eq!(issues(&device), [""; 0]);
    let left = used(&device);
    assert_eq!(left.0, held.0 - 1);
    assert!(left.1 <= held.1 - 100_000 / 4096);
    assert!(find(&writer, "victim").is_some());
    assert_eq!(writer.links(find(&writer, "victim").unwrap()).unwrap(), 2);
    drop(volume);
}

#[test]
fn several_threads_link_and_delete_at_once() {
    let (device, volume) = volume();
    let file = make(&volume, r"\file");
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let volume = &volume;
            scope.spawn(move || {
                for number in 0..50 {
                    let name = format!(r"\{thread} {number}");
                    link(volume, file, None, &name).unwrap();
                    if number % 2 == 0 {
                        let handle = open(volume, &name, DELETE, Disposition::Open).unwrap();
                        let bytes = [1];
                        let class = InfoClass::Disposition.number();
                        volume
                            .set_information_file(handle, class, &bytes, Layout::NATIVE)
                            .unwrap();
                        volume.close(handle).unwrap();
                    }
                }
            });
        }
    });
    assert_eq!(volume.number_of_links(file), Ok(101));
    volume.writer().close().unwrap();
    assert_eq!(issues(&device), [""; 0]);
    assert_eq!(
        reopened(&device)
            .file(volume.file(file).unwrap().record())
            .unwrap()
            .names()
            .unwrap()
            .len(),
        101
    );
}

fn refused(error: polylink_ntfs::Result<()>) -> NtStatus {
    match error {
        Err(Error::Refused(status)) => status,
        other => panic!("{other:?}"),
    }
}

/// The namespaces of a file's names.
fn namespaces(device: &Arc<MemDevice>, file: RecordNumber) -> Vec<Namespace> {
    let names = reopened(device).file(file).unwrap().names().unwrap();
    names.iter().filter_map(|name| name.namespace).collect()
}

#[test]
fn a_twin_comes_and_goes() {
    let device = blank(8 << 20, 4096, 1024);
    let writer: Writer = write_again(&device);
    let root = writer.root().unwrap();
    let long = units("a long name.text");
    let short = units("ALONGN~1.TEX");
    let file = writer.create_file(root, &long).unwrap();
    writer.create_file(root, &units("TAKEN")).unwrap();
    let set = |name: Option<&str>| writer.set_short_name(root, &long, name.map(units).as_deref());
    assert_eq!(refused(set(Some("TAKEN"))), NtStatus::OBJECT_NAME_COLLISION);
    assert_eq!(refused(set(Some("no short name"))), NtStatus::OBJECT_NAME_INVALID);
    set(Some("ALONGN~1.TEX")).unwrap();
    assert_eq!(refused(set(Some("OTHER~1.TEX"))), NtStatus::OBJECT_NAME_COLLISION);
    let twin = writer.set_short_name(root, &short, None);
    assert_eq!(refused(twin), NtStatus::INVALID_PARAMETER);
    assert_eq!(writer.links(file).unwrap(), 1);
    writer.sync().unwrap();
    assert_eq!(issues(&device), [""; 0]);
    let mut both = namespaces(&device, file.record());
    both.sort_by_key(|namespace| namespace.byte());
    assert_eq!(both, [Namespace::Win32, Namespace::Dos]);
    assert_eq!(find(&writer, "alongn~1.tex"), Some(file));
    set(None).unwrap();
    set(None).unwrap();
    writer.sync().unwrap();
    assert_eq!(find(&writer, "alongn~1.tex"), None);
    assert_eq!(find(&writer, "a long name.text"), Some(file));
    assert_eq!(namespaces(&device, file.record()), [Namespace::Posix]);
    writer.close().unwrap();
    assert_eq!(issues(&device), [""; 0]);
}

#[test]
fn a_stream_that_goes_gives_its_clusters_back() {
    let device = blank(8 << 20, 4096, 1024);
    let writer = write_again(&device);
    let file = writer
        .create_file(writer.root().unwrap(), &units("file"))
        .unwrap();
    writer.write(file, &[], 0, b"content").unwrap();
    writer.sync().unwrap();
    let before = used(&device);
    let stream = units("stream");
    writer.write(file, &stream, 0, &[7; 100_000]).unwrap();
    writer.sync().unwrap();
    assert!(used(&device).1 > before.1);
    assert_eq!(
        refused(writer.remove_stream(file, &[])),
        NtStatus::INVALID_PARAMETER
    );
    let other = writer.remove_stream(file, &units("other"));
    assert_eq!(refused(other), NtStatus::OBJECT_NAME_NOT_FOUND);
    writer.remove_stream(file, &units("STREAM")).unwrap();
    writer.close().unwrap();
    assert_eq!(used(&device), before);
    assert_eq!(issues(&device), [""; 0]);
    let streams = reopened(&device)
        .file(file.record())
        .unwrap()
        .data_streams()
        .unwrap();
    assert_eq!(streams.len(), 1);
}

#[test]
fn an_open_directory_is_deleted_with_posix_semantics() {
    let mut world = World::new();
    let dir = world.dir(r"\dir");
    let deleter = world.open(r"\dir", DELETE, SHARED, NO_OPTIONS).unwrap();
    let holder = world.open(r"\dir", READ, SHARED, NO_OPTIONS).unwrap();
    let flags = DispositionFlags::DELETE | DispositionFlags::POSIX_SEMANTICS;
    world.dispose_ex(deleter, flags).unwrap();
    world.close(deleter);
    assert!(world.names(r"\").is_empty());
    // the name is free for another
    world.dir(r"\dir");
    assert_eq!(world.counts(holder), (0, 1, true));
    world.close(holder);
    assert!(!world.file_exists(dir));
    assert_eq!(world.names(r"\"), ["dir"]);
}

#[test]
fn both_names_of_a_file_are_kept_for_handles() {
    let mut world = World::new();
    let file = world.file(r"\one");
    world.second_name(r"\one", r"\two");
    world.file(r"\source");
    let source = world.open(r"\source", READ, SHARED, NO_OPTIONS).unwrap();
    let one = world.open(r"\one", READ, SHARED, NO_OPTIONS).unwrap();
    let two = world.open(r"\two", READ, SHARED, NO_OPTIONS).unwrap();
    let posix = ex(LinkFlags::REPLACE_IF_EXISTS | LinkFlags::POSIX_SEMANTICS);
    assert_eq!(world.link(source, r"\one", posix), Ok(()));
    assert_eq!(world.counts(one), (1, 2, true));
    assert_eq!(world.counts(two), (1, 2, false));
    assert_eq!(world.link(source, r"\two", posix), Ok(()));
    assert_eq!(world.counts(two), (0, 2, true));
    assert_eq!(world.names(r"\"), ["one", "source", "two"]);
    world.close(one);
    assert_eq!(world.counts(two), (0, 1, true));
    assert!(world.file_exists(file));
    world.close(two);
    assert!(!world.file_exists(file));
    assert_eq!(world.number_of_links(source), 3);
}

#[test]
fn the_writers_own_limit_is_the_volumes() {
    let world = World::new();
    let mut facts = world.nt().facts();
    assert_eq!(facts.link_limit, 1024);
    facts.link_limit = 5000;
    world.nt().set_facts(facts);
    assert_eq!(world.nt().facts().link_limit, world.writer().max_links());
}

#[test]
fn a_stream_is_opened_by_any_spelling_and_not_made() {
    let mut world = World::new();
    world.file(r"\file");
    world.stream(r"\file", "Stream");
    for path in [r"\file:Stream", r"\FILE:STREAM", r"\file:stream:$DATA"] {
        let handle = world.open(path, READ, Share::all(), NO_OPTIONS).unwrap();
        let refused = world.link(handle, r"\link", R0);
        assert_eq!(refused, Err(NtStatus::INVALID_PARAMETER), "{path}");
    }
    let missing = world.open(r"\file:other", READ, SHARED, NO_OPTIONS);
    assert_eq!(missing, Err(NtStatus::OBJECT_NAME_NOT_FOUND));
    for path in [r"\file::$INDEX_ALLOCATION", r"\file:a:b:c"] {
        let refused = world.open(path, READ, SHARED, NO_OPTIONS);
        assert_eq!(refused, Err(NtStatus::OBJECT_NAME_INVALID), "{path}");
    }
    // the unnamed one is the file
    let handle = world.open(r"\file::$DATA", READ, SHARED, NO_OPTIONS).unwrap();
    assert_eq!(world.link(handle, r"\link", R0), Ok(()));
}

/// Bytes of a stream of a file as the device has them.
fn size(device: &Arc<MemDevice>, volume: &NtVolume, file: Handle, stream: &str) -> Option<u64> {
    volume.writer().sync().unwrap();
    let record = volume.file(file).unwrap().record();
    let reader = reopened(device);
    let kind = polylink_ntfs::layout::attribute::AttributeKind::DATA;
    let found = reader
        .file(record)
        .unwrap()
        .stream(&reader, kind, &units(stream))
        .unwrap();
    found.map(|stream| stream.size())
}

fn attributes(device: &Arc<MemDevice>, volume: &NtVolume, file: Handle) -> u32 {
    volume.writer().sync().unwrap();
    let record = volume.file(file).unwrap().record();
    let reader = reopened(device);
    let information = reader.file(record).unwrap().standard_information().unwrap();
    information.attributes
}

#[test]
fn overwriting_takes_the_content_and_leaves_names_and_number() {
    let (device, volume) = volume();
    let first = make(&volume, r"\file");
    link(&volume, first, None, r"\second").unwrap();
    let file = volume.file(first).unwrap();
    volume.close(first).unwrap();
    for how in [
        Disposition::Overwrite(0),
        Disposition::OverwriteIf(0),
        Disposition::Supersede(0),
    ] {
        let writer = volume.writer();
        writer.write(file, &[], 0, &[7; 9000]).unwrap();
        writer.write(file, &units("stream"), 0, b"more").unwrap();
        let handle = open(&volume, r"\second", READ, how).unwrap();
        assert_eq!(volume.file(handle), Ok(file), "{how:?}");
        assert_eq!(size(&device, &volume, handle, ""), Some(0), "{how:?}");
        assert_eq!(size(&device, &volume, handle, "stream"), None, "{how:?}");
        assert_eq!(volume.query_standard_link(handle).unwrap().total, 2);
        // the right that overwriting takes is not the handle's: it is in nobody's way who lets others read only
        let other = volume.open(
            None,
            &units(r"\file"),
            READ,
            Share::READ,
            Disposition::Open,
            NO_OPTIONS,
        );
        volume.close(other.unwrap()).unwrap();
        volume.close(handle).unwrap();
    }
    // of a stream that is named, only that goes; one that somebody has open stays
    let writer = volume.writer();
    writer.write(file, &[], 0, b"content").unwrap();
    writer.write(file, &units("stream"), 0, b"more").unwrap();
    let handle = open(&volume, r"\file:stream", READ, Disposition::Overwrite(0)).unwrap();
    assert_eq!(size(&device, &volume, handle, "stream"), Some(0));
    assert_eq!(size(&device, &volume, handle, ""), Some(7));
    let main = open(&volume, r"\file", READ, Disposition::Overwrite(0)).unwrap();
    assert_eq!(size(&device, &volume, main, ""), Some(0));
    assert_eq!(size(&device, &volume, main, "stream"), Some(0));
    assert_eq!(issues(&device), [""; 0]);
}

#[test]
fn what_is_not_there_is_made_by_those_that_may_make_it() {
    let (device, volume) = volume();
    let refused = open(&volume, r"\new", READ, Disposition::Overwrite(0));
    assert_eq!(refused, Err(NtStatus::OBJECT_NAME_NOT_FOUND));
    for (path, how, expected) in [
        (r"\one", Disposition::OverwriteIf(0), 0x20),
        (r"\two", Disposition::Supersede(0x2), 0x22),
        (r"\three", Disposition::OverwriteIf(0x8000_0004), 0x24),
    ] {
        let handle = open(&volume, path, READ, how).unwrap();
        assert_eq!(attributes(&device, &volume, handle), expected, "{path}");
    }
    assert_eq!(issues(&device), [""; 0]);
}

#[test]
fn overwriting_is_refused_as_nt_refuses_it() {
    let (device, volume) = volume();
    let denied = Err(NtStatus::ACCESS_DENIED);
    let all = [
        Disposition::Overwrite(0),
        Disposition::OverwriteIf(0),
        Disposition::Supersede(0),
    ];
    let file = make(&volume, r"\file");
    let reference = volume.file(file).unwrap();
    volume.close(file).unwrap();
    let options = OpenOptions::DIRECTORY_FILE;
    let path = units(r"\dir");
    let dir = volume
        .open(None, &path, READ, SHARED, Disposition::Create, options)
        .unwrap();
    volume.close(dir).unwrap();
    for how in all {
        let refused = volume.open(None, &path, READ, SHARED, how, options);
        assert_eq!(refused, Err(NtStatus::INVALID_PARAMETER), "{how:?}");
        let refused = open(&volume, r"\dir", READ, how);
        assert_eq!(refused, Err(NtStatus::OBJECT_NAME_COLLISION), "{how:?}");
        // [MS-FSA] 2.1.5.1.2
        assert_eq!(open(&volume, r"\", READ, how), denied, "{how:?}");
        let options = OpenOptions::NON_DIRECTORY_FILE;
        let refused = volume.open(None, &path, READ, SHARED, how, options);
        assert_eq!(refused, Err(NtStatus::FILE_IS_A_DIRECTORY), "{how:?}");
    }
    let give = |attributes| {
        let times = polylink_ntfs::Times {
            attributes: Some(attributes),
            ..polylink_ntfs::Times::default()
        };
        volume.writer().set_times(reference, times).unwrap();
    };
    volume.writer().write(reference, &[], 0, b"content").unwrap();
    // read-only, hidden, of the system
    for attribute in [0x1, 0x2, 0x4] {
        give(attribute);
        for how in all {
            assert_eq!(open(&volume, r"\file", READ, how), denied, "{attribute} {how:?}");
        }
    }
    give(0x26);
    assert_eq!(open(&volume, r"\file", READ, Disposition::Supersede(0x2)), denied);
    // to overwrite is to write, to supersede is to delete
    for (share, write, delete) in [
        (Share::READ | Share::DELETE, false, true),
        (Share::READ | Share::WRITE, true, false),
    ] {
        let path = units(r"\file");
        let holder = volume
            .open(None, &path, READ, share, Disposition::Open, NO_OPTIONS)
            .unwrap();
        for (how, allowed) in [
            (Disposition::Overwrite(0x6), write),
            (Disposition::OverwriteIf(0x6), write),
            (Disposition::Supersede(0x6), delete),
        ] {
            let outcome = open(&volume, r"\file", READ, how);
            match outcome {
                Ok(handle) => volume.close(handle).map(|_| ()).unwrap(),
                Err(status) => assert_eq!(status, NtStatus::SHARING_VIOLATION),
            }
            assert_eq!(outcome.is_ok(), allowed, "{how:?} {share:?}");
        }
        volume.close(holder).unwrap();
    }
    // the attributes of one that is overwritten are added, those of one that is superseded are the new ones
    give(0x2020);
    let handle = open(&volume, r"\file", READ, Disposition::Overwrite(0x2)).unwrap();
    assert_eq!(attributes(&device, &volume, handle), 0x2022);
    volume.close(handle).unwrap();
    let handle = open(&volume, r"\file", READ, Disposition::Supersede(0x6)).unwrap();
    assert_eq!(attributes(&device, &volume, handle), 0x26);
    assert_eq!(issues(&device), [""; 0]);
}
