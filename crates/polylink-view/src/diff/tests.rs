//! Rows of names that a stopped run was about to relink.

use std::path::Path;

use polylink_core::{At, LinkFs as _, MemFs, MemOptions, Name};

use super::{key, settle};
use crate::ledger::{Ledger, Row};
use crate::scan::ViewNames;

#[test]
fn a_stopped_relink_is_settled_by_what_the_name_leads_to() {
    let fs = MemFs::with(MemOptions::default());
    for name in ["relinked", "not yet", "somebody's"] {
        fs.create(format!("/v/{name}"), 1).unwrap();
    }
    let view = fs.open_dir(Path::new("/v")).unwrap();
    let volume = fs.stat_dir(&view).unwrap().id.volume;
    let id = |name: &str| {
        key(
            fs.stat(At::new(&view, Name::new(name.as_bytes()))).unwrap().id,
            volume,
        )
    };
    let (old, new) = (1 << 40, 1 << 41);
    let mut ledger = Ledger::in_memory().unwrap();
    // each name, the file of its row, and the file that it was about to lead to
    let rows = [
        ("relinked", old, id("relinked")),
        ("not yet", id("not yet"), new),
        ("somebody's", old, new),
        ("gone", old, id("relinked")),
    ];
    ledger
        .change(|changes| {
            for (name, from, to) in rows {
                let row = Row::new(from, Some(5), 1, 7, 0);
                changes.announce(name.as_bytes(), &row, name.as_bytes(), (to, Some(6)))?;
            }
            changes.set_row(b"plain", &Row::new(old, Some(5), 1, 7, 0), b"plain")
        })
        .unwrap_or_else(|_| panic!("a ledger in memory"));
    let mut book = ledger.read().unwrap_or_else(|_| panic!("a ledger in memory"));
    let names = ViewNames::read(&fs, &view).unwrap();
    let settled = settle(&mut book, &names, volume);
    let name = |row: u32| String::from_utf8(book.name(&book.rows[row as usize]).to_vec()).unwrap();
    assert_eq!(
        settled.iter().map(|&row| name(row)).collect::<Vec<_>>(),
        ["relinked"]
    );
    assert!(book.relinking.is_empty());
    for row in &book.rows {
        let is = (book.name(row), row.id, row.born);
        let expected = match is.0 {
            b"relinked" => (id("relinked"), Some(6)),
            b"not yet" => (id("not yet"), Some(5)),
            _ => (old, Some(5)),
        };
        assert_eq!((is.1, is.2), expected, "{}", String::from_utf8_lossy(is.0));
    }
    // told once, and known from then on
    assert!(settle(&mut book, &names, volume).is_empty());
}
