//! What an update asks of the file system: no more than it must.

use polylink_core::{HardLinks, Silent};
use polylink_view::{Outcome, apply, plan};

use crate::disk::{Disk as _, Folder};
use crate::judge::World;
use crate::wrapper::Watched;

const FILES: u64 = 300;

fn built() -> World<Folder> {
    let mut world = World::new(Folder::new());
    for file in 0..FILES {
        world
            .disk
            .create(&format!("/s/{}/{}/{file}.x", file % 3, file % 7));
    }
    let fs = Watched::new(world.disk.fs());
    let update = plan(&fs, &world.request(), &world.ledger, &Silent).unwrap();
    assert_eq!(fs.changes(), 0, "a plan changes nothing");
    let outcome = apply(&fs, update, &mut world.ledger, &Silent);
    assert_eq!(outcome.linked, FILES);
    // where the file system does not say whether it has links (Wine's), one is made and removed before all
    let root = world.disk.fs().open_dir(&world.disk.path("/")).unwrap();
    let probes = u64::from(world.disk.fs().volume(&root).unwrap().hard_links == HardLinks::Unknown);
    assert_eq!(
        (fs.calls("link"), fs.calls("make_dir"), fs.changes()),
        (FILES + probes, 1, FILES + 1 + 2 * probes)
    );
    assert!(fs.calls("stat") <= FILES + 1, "one look at each new file");
    drop(fs);
    world
}

fn watched<'a>(world: &'a mut World<Folder>, distrust: bool) -> (Outcome, Watched<'a>) {
    let request = world.request();
    let mut fs = Watched::new(world.disk.fs());
    fs.distrust = distrust;
    let update = plan(&fs, &request, &world.ledger, &Silent).unwrap();
    let outcome = apply(&fs, update, &mut world.ledger, &Silent);
    (outcome, fs)
}

#[test]
fn with_nothing_to_do_no_name_is_looked_at_and_nothing_is_changed() {
    let mut world = built();
    let (outcome, fs) = watched(&mut world, false);
    assert_eq!(outcome.kept, FILES);
    assert_eq!((fs.calls("stat"), fs.changes()), (0, 0));
    // 1 source, 3 and 15 folders below it, and the view
    let folders = 1 + 3 + 3 * 7;
    assert_eq!(fs.calls("open_child"), folders - 1 + 1);
}

#[test]
fn only_what_changed_is_looked_at() {
    let mut world = built();
    for file in 0..5 {
        world.disk.create(&format!("/s/new/{file}"));
        world.disk.create(&format!("/s/0/0/{}.x", file * 21)); // saved by rename
    }
    let (outcome, fs) = watched(&mut world, false);
    assert_eq!((outcome.linked, outcome.relinked), (5, 5));
    assert!(fs.calls("stat") <= 5 + 5 * 6, "{}", fs.calls("stat"));
}

#[test]
fn where_directories_cannot_be_trusted_each_name_is_looked_at() {
    let mut world = built();
    let (outcome, fs) = watched(&mut world, true);
    assert_eq!((outcome.kept, outcome.linked, fs.changes()), (FILES, 0, 0));
    let folders = 3 + 3 * 7;
    assert!(
        (2 * FILES..=2 * FILES + folders).contains(&fs.calls("stat")),
        "{}",
        fs.calls("stat")
    );
}
