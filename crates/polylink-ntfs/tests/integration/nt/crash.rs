//! A power cut at any moment of NT's calls: names that replace others, that are kept for handles, that are spelled anew.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use polylink_nt::decide::{Access, Origin, Share};
use polylink_nt::info::{InfoClass, LinkFlags, LinkInformation};
use polylink_ntfs::nt::{Disposition, Handle, NtVolume};
use polylink_ntfs::{Case, Device, Index, MemDevice, RecordNumber, Writer};

use super::world::{DELETE, NO_OPTIONS, READ, units};
use crate::write::crash::{Step, at, least, replay_steps};
use crate::write::{blank, open as write_again, options, reopened};

const REPLACE: LinkFlags = LinkFlags::REPLACE_IF_EXISTS;
const POSIX: LinkFlags = REPLACE.union(LinkFlags::POSIX_SEMANTICS);

fn open(volume: &NtVolume, path: &str, access: Access) -> Handle {
    volume
        .open(
            None,
            &units(path),
            access,
            Share::all(),
            Disposition::OpenIf,
            NO_OPTIONS,
        )
        .unwrap()
}

fn set(volume: &NtVolume, class: InfoClass, handle: Handle, name: &str, flags: LinkFlags) {
    let information = LinkInformation {
        flags,
        root: None,
        name: units(name),
    };
    volume
        .set_name(handle, class, &information, Origin::Local)
        .unwrap();
}

/// A step that opens one path and gives it another name.
fn step(
    what: &'static str,
    class: InfoClass,
    from: &'static str,
    to: &'static str,
    flags: LinkFlags,
    held: Option<&'static str>,
) -> Step {
    let run = move |writer: &Arc<Writer>| {
        let volume = NtVolume::new(writer.clone()).unwrap();
        // whoever holds it never closes it: the power goes first
        let _held = held.map(|path| open(&volume, path, READ));
        let handle = open(&volume, from, DELETE | READ);
        set(&volume, class, handle, to, flags);
        volume.close(handle).unwrap();
    };
    (what.to_owned(), Box::new(run))
}

fn steps() -> Vec<Step> {
    let (link, rename) = (InfoClass::LinkEx, InfoClass::RenameEx);
    let none = LinkFlags::empty();
    vec![
        (
            "make files".to_owned(),
            Box::new(|writer: &Arc<Writer>| {
                let root = writer.root().unwrap();
                let dir = writer.make_directory(root, &units("dir")).unwrap();
                for name in ["one", "two", "three", "four"] {
                    writer.create_file(root, &units(name)).unwrap();
                    let below = writer.create_file(dir, &units(name)).unwrap();
                    writer
                        .link(below, root, &units(&format!("{name} below")))
                        .unwrap();
                }
                // of a directory that moves the look at what lasts knows one path, which may not lead there yet
                let four = writer.look_up(root, &units("four")).unwrap().unwrap().file;
                writer.link(four, root, &units("spare")).unwrap();
            }),
        ),
        step("link to a new name", link, r"\one", r"\dir\new", none, None),
        step("link over a last name", link, r"\one", r"\two", REPLACE, None),
        step(
            "link over one of two names",
            link,
            r"\one",
            r"\dir\one",
            REPLACE,
            None,
        ),
        step(
            "link over an open file",
            link,
            r"\one",
            r"\three",
            POSIX,
            Some(r"\three"),
        ),
        step(
            "spell a name anew by a link",
            link,
            r"\one",
            r"\ONE",
            REPLACE,
            None,
        ),
        step(
            "spell another name anew",
            link,
            r"\ONE",
            r"\DIR\New",
            REPLACE,
            None,
        ),
        step("rename over a file", rename, r"\four", r"\dir\two", REPLACE, None),
        step(
            "rename over an open file",
            rename,
            r"\dir\two",
            r"\dir\three",
            POSIX,
            Some(r"\dir\three"),
        ),
        step(
            "rename onto the file's other name",
            rename,
            r"\dir\New",
            r"\TWO",
            none,
            None,
        ),
        step("rename a directory", rename, r"\dir", r"\moved", none, None),
        (
            "a twin comes".to_owned(),
            Box::new(|writer: &Arc<Writer>| {
                let root = writer.root().unwrap();
                let (name, short) = (units("four below"), units("FOURBE~1"));
                writer.set_short_name(root, &name, Some(&short)).unwrap();
            }),
        ),
        step(
            "rename a name with a twin",
            rename,
            r"\four below",
            r"\a longer name",
            none,
            None,
        ),
        step(
            "replace a file by its twin's name",
            link,
            r"\ONE",
            r"\alonge~1",
            REPLACE,
            None,
        ),
        (
            "a stream goes".to_owned(),
            Box::new(|writer: &Arc<Writer>| {
                let file = at(writer, "ONE");
                writer.write(file, &units("stream"), 0, &[1; 9000]).unwrap();
                writer.sync().unwrap();
                writer.remove_stream(file, &units("stream")).unwrap();
            }),
        ),
    ]
}

#[test]
fn every_state_after_a_cut_is_sound() {
    let states = replay_steps(1024, 1024, &steps(), 1);
    assert!(states > least("NT's calls"), "{states}");
}

/// A device that loses every write after so many.
#[derive(Debug)]
struct Cut {
    device: Arc<MemDevice>,
    left: AtomicU64,
}

impl Device for Cut {
    fn size(&self) -> u64 {
        self.device.size()
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        self.device.read_at(offset, buffer)
    }

    fn write_at(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let one_less = |left: u64| left.checked_sub(1);
        match self
            .left
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less)
        {
            Ok(_) => self.device.write_at(offset, data),
            Err(_) => Ok(()),
        }
    }

    fn flush(&self) -> io::Result<()> {
        Ok(())
    }
}

/// What stands under a name that is replaced, after a cut at each write; answers how many there were.
fn replaced_after_each_cut(class: InfoClass, flags: LinkFlags, held: bool) -> u64 {
    let empty = blank(8 << 20, 4096, 1024);
    let (source, victim) = {
        let writer = write_again(&empty);
        let root = writer.root().unwrap();
        let source = writer.create_file(root, &units("source")).unwrap();
        let victim = writer.create_file(root, &units("victim")).unwrap();
        writer.close().unwrap();
        (source, victim)
    };
    let (mut before, mut after) = (0, 0);
    loop {
        let device = Arc::new(MemDevice::new(empty.bytes()));
        let cut = Arc::new(Cut {
            device: device.clone(),
            left: AtomicU64::new(before + after),
        });
        let writer = Arc::new(Writer::open(cut.clone(), &options()).unwrap());
        let volume = NtVolume::new(writer.clone()).unwrap();
        let _held = held.then(|| open(&volume, r"\victim", READ));
        let handle = open(&volume, r"\source", DELETE | READ);
        set(&volume, class, handle, r"\VICTIM", flags);
        writer.close().unwrap();
        let read = reopened(&device);
        let root = read.file(RecordNumber::ROOT).unwrap();
        let index = Index::open(&read, &root).unwrap();
        let found = index.find(&units("victim"), Case::Ignored).unwrap();
        let found = found.expect("the name leads somewhere at every moment").file;
        assert!(read.file(found.record()).unwrap().base().unwrap().is_in_use());
        if found == victim {
            assert_eq!(after, 0, "what was replaced does not come back");
            before += 1;
        } else {
            assert_eq!(found, source);
            after += 1;
        }
        if cut.left.load(Ordering::SeqCst) > 0 {
            assert!(before > 0 && after > 0);
            return before + after;
        }
    }
}

#[test]
fn a_name_that_is_replaced_leads_to_one_file_or_the_other() {
    for class in [InfoClass::LinkEx, InfoClass::RenameEx] {
        for (flags, held) in [(REPLACE, false), (POSIX, false), (POSIX, true)] {
            let cuts = replaced_after_each_cut(class, flags, held);
            assert!(cuts > 5, "{cuts}");
        }
    }
}
