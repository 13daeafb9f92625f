//! Ledgers of other versions of polylink, and ledgers that something happened to.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use polylink_core::{At, LinkFs as _, Name, Silent, Stat};
use polylink_host::HostFs;
use tempfile::TempDir;

use super::*;
use crate::options::{Deleted, Options, Orphans, Request};
use crate::report::Outcome;
use crate::{apply, plan};

/// Two files, their view, and its ledger.
struct Place {
    folder: TempDir,
    request: Request,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::create_dir_all(root.join("source/2007")).unwrap();
        fs::write(root.join("source/2007/a.jpg"), "a").unwrap();
        fs::write(root.join("source/b.jpg"), "b").unwrap();
        let request = Request {
            sources: vec![root.join("source")],
            view: root.join("view"),
            options: Options::default(),
        };
        Self { folder, request }
    }

    fn path(&self, below: &str) -> PathBuf {
        self.folder.path().join(below)
    }

    fn ledger(&self) -> PathBuf {
        ledger_path(&self.request.view)
    }

    fn update(&self) -> std::result::Result<Outcome, Error> {
        let fs = HostFs::new();
        let mut ledger = open_ledger(&self.request.view, None, false)?;
        let plan = plan(&fs, &self.request, &ledger, &Silent)?;
        let mut outcome = apply(&fs, plan, &mut ledger, &Silent);
        outcome.ledger_error.take().map_or(Ok(outcome), Err)
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(&self.request.view)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    /// Changes the tables as another version of polylink might.
    fn rewrite(&self, change: impl FnOnce(&redb::WriteTransaction)) {
        let db = Builder::new().open(self.ledger()).unwrap();
        let write = db.begin_write().unwrap();
        change(&write);
        write.commit().unwrap();
    }
}

/// The tables as the first ledgers had them, byte by byte as the design notes draw them: no fallbacks, and rows with and
/// without a source name of their own.
fn first_layout(path: &Path, source: &Path, files: [(u128, i64); 3], view: (u128, i128)) {
    const META: TableDefinition<'_, &str, u128> = TableDefinition::new("meta");
    const DIRS: TableDefinition<'_, u32, &[u8]> = TableDefinition::new("directories");
    const NAMES: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("names");
    const REMEMBERED: TableDefinition<'_, u128, &[u8]> = TableDefinition::new("remembered");
    let row = |flags: u8, id: u128, born: i64, dir: u32, source_name: &[u8]| {
        let mut row = vec![flags];
        row.extend(7u32.to_le_bytes());
        row.extend(id.to_le_bytes());
        row.extend(born.to_le_bytes());
        row.extend(1u64.to_le_bytes());
        row.extend(dir.to_le_bytes());
        row.extend(source_name);
        row
    };
    let db = Database::create(path).unwrap();
    let write = db.begin_write().unwrap();
    {
        let mut meta = write.open_table(META).unwrap();
        for (key, value) in [
            ("schema", 1),
            ("last run", 7),
            ("completed run", 7),
            ("view id", view.0),
            ("view born", view.1.cast_unsigned()),
        ] {
            meta.insert(key, value).unwrap();
        }
        let mut dirs = write.open_table(DIRS).unwrap();
        let year = source.join("2007");
        dirs.insert(0, source.as_os_str().as_encoded_bytes()).unwrap();
        dirs.insert(1, year.as_os_str().as_encoded_bytes()).unwrap();
        let mut names = write.open_table(NAMES).unwrap();
        let [(a, a_born), (b, b_born), (gone, gone_born)] = files;
        let a = row(1, a, a_born, 1, b"");
        let b = row(0, b, b_born, 0, b"b.jpg");
        names.insert(&b"a.jpg"[..], a.as_slice()).unwrap();
        names.insert(&b"mine.jpg"[..], b.as_slice()).unwrap();
        let mut remembered = write.open_table(REMEMBERED).unwrap();
        let mut value = gone_born.to_le_bytes().to_vec();
        value.extend(b"unwanted.jpg");
        remembered.insert(gone, value.as_slice()).unwrap();
    }
    write.commit().unwrap();
}

#[test]
fn a_ledger_of_the_first_layout_is_gone_on_with() {
    let mut place = Place::new();
    place.request.options.deleted = Deleted::Remember;
    fs::create_dir(&place.request.view).unwrap();
    fs::write(place.path("source/unwanted.jpg"), "unwanted").unwrap();
    fs::hard_link(place.path("source/2007/a.jpg"), place.path("view/a.jpg")).unwrap();
    fs::hard_link(place.path("source/b.jpg"), place.path("view/mine.jpg")).unwrap();
    fs::write(place.path("view/foreign.jpg"), "foreign").unwrap();
    let host = HostFs::new();
    let stat = |path: &str| {
        let path = place.path(path);
        let dir = host.open_dir(path.parent().unwrap()).unwrap();
        host.stat(At::new(&dir, Name::from_os(path.file_name().unwrap())))
            .unwrap()
    };
    let view = host.open_dir(&place.request.view).unwrap();
    let view = host.stat_dir(&view).unwrap();
    let file = |path: &str| {
        let stat: Stat = stat(path);
        (stat.id.id, crate::diff::birth(&stat).unwrap_or(i64::MIN))
    };
    first_layout(
        &place.ledger(),
        &place.path("source"),
        ["view/a.jpg", "view/mine.jpg", "source/unwanted.jpg"].map(file),
        (view.id.id, view.born.unwrap_or_default()),
    );
    // one source goes, one comes; b keeps the name that it got from the user
    fs::hard_link(place.path("source/2007/a.jpg"), place.path("elsewhere.jpg")).unwrap();
    fs::remove_file(place.path("source/2007/a.jpg")).unwrap();
    fs::write(place.path("source/2007/c.jpg"), "c").unwrap();
    let outcome = place.update().unwrap();
    assert_eq!(
        (
            outcome.linked,
            outcome.kept,
            outcome.removed,
            outcome.foreign,
            outcome.adopted
        ),
        (1, 1, 1, 1, 0),
        "{outcome:?}"
    );
    assert_eq!(place.names(), ["c.jpg", "foreign.jpg", "mine.jpg"]);
    let ledger = open_ledger(&place.request.view, None, false).unwrap();
    let book = ledger.read().unwrap();
    assert_eq!((book.rows.len(), book.last_run, book.completed_run), (2, 8, 8));
    assert_eq!(book.remembered.len(), 1);
    assert_eq!(outcome.left_out.remembered, 1, "what the user deleted stays away");
}

#[test]
fn a_ledger_of_a_later_version_is_refused_and_left_as_it_is() {
    let place = Place::new();
    place.update().unwrap();
    place.rewrite(|write| {
        write
            .open_table(META)
            .unwrap()
            .insert("schema", SCHEMA + 1)
            .unwrap();
    });
    let before = fs::read(place.ledger()).unwrap();
    fs::write(place.path("source/new.jpg"), "new").unwrap();
    fs::remove_file(place.path("source/b.jpg")).unwrap();
    for _ in 0..2 {
        let error = place.update().unwrap_err();
        let text = format!("{error}: {}", std::error::Error::source(&error).unwrap());
        assert!(
            text.contains("schema 2") && text.contains("does not know"),
            "{text}"
        );
    }
    assert_eq!(place.names(), ["a.jpg", "b.jpg"]);
    assert!(
        fs::read(place.ledger()).unwrap() == before,
        "the ledger was written to"
    );
}

/// A ledger that is cut short or has foreign bytes in it is told of, or what it says is still right; never does a name
/// go or a file lose its last one, and with the ledger moved away the view is whole again.
#[test]
fn a_garbled_ledger_is_told_and_costs_nothing() {
    /// So many that their rows take several pages; under Wine each takes its time.
    const FILES: u64 = if cfg!(windows) { 8 } else { 120 };
    const CUTS: usize = 16;
    let mut place = Place::new();
    // what would do the most harm if the ledger were believed
    place.request.options.deleted = Deleted::DeleteSource;
    place.request.options.orphans = Orphans::Delete;
    for number in 0..FILES {
        fs::write(
            place.path(&format!("source/2007/{number}.jpg")),
            format!("{number}"),
        )
        .unwrap();
    }
    place.update().unwrap();
    let whole = fs::read(place.ledger()).unwrap();
    let used = whole.iter().rposition(|&byte| byte != 0).unwrap();
    let mut garbled: Vec<(String, Vec<u8>)> = Vec::new();
    for part in 0..CUTS {
        let len = whole.len() * part / CUTS;
        garbled.push((format!("cut to {len} bytes"), whole[..len].to_vec()));
    }
    for page in (0..=used).step_by(4096) {
        for (what, at, len) in [("start", 0, 8), ("middle", 1024, 64), ("whole", 0, 4096)] {
            let mut bytes = whole.clone();
            let end = (page + at + len).min(bytes.len());
            for byte in bytes.get_mut(page + at..end).unwrap_or_default() {
                *byte ^= 0xa5;
            }
            garbled.push((format!("{what} of page {}", page / 4096), bytes));
        }
    }
    let contents = |dir: &str| -> BTreeMap<String, Vec<u8>> {
        let entries = fs::read_dir(place.path(dir)).unwrap().map(|entry| entry.unwrap());
        let files = entries.filter(|entry| entry.file_type().unwrap().is_file());
        files
            .map(|file| {
                (
                    file.file_name().into_string().unwrap(),
                    fs::read(file.path()).unwrap(),
                )
            })
            .collect()
    };
    let before = (contents("view"), contents("source"), contents("source/2007"));
    let mut refused = 0;
    let some = if cfg!(windows) { 5 } else { 1 };
    for (what, bytes) in garbled.iter().step_by(some) {
        fs::write(place.ledger(), bytes).unwrap();
        match place.update() {
            Err(Error::Ledger { fault, .. }) => {
                assert!(
                    matches!(fault, LedgerFault::Damaged(_) | LedgerFault::Record),
                    "{what}: {fault}"
                );
                assert!(
                    fs::read(place.ledger()).unwrap() == *bytes,
                    "{what}: it was written to"
                );
                refused += 1;
            }
            Err(error) => panic!("{what}: {error}"),
            // bytes that nothing uses
            Ok(outcome) => assert_eq!(
                (outcome.kept, outcome.adopted, outcome.failures.len()),
                (FILES + 2, 0, 0),
                "{what}"
            ),
        }
        assert!(
            (contents("view"), contents("source"), contents("source/2007")) == before,
            "{what}"
        );
    }
    assert!(
        refused * some >= CUTS, // a large file has many pages that nothing uses
        "only {refused} of {} were told of",
        garbled.len()
    );
    fs::remove_file(place.ledger()).unwrap();
    let outcome = place.update().unwrap();
    assert_eq!(
        (outcome.adopted, outcome.kept, outcome.linked),
        (FILES + 2, FILES + 2, 0),
        "{outcome:?}"
    );
}
