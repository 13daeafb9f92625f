//! A tree that changes at any moment of an update: nothing is lost, and the next run has it right.

use std::sync::Mutex;

use polylink_core::{DirIdLies, MemFs, MemOptions, Silent};
use polylink_view::{apply, plan};

use crate::disk::{Disk, Folder, slowness};
use crate::judge::World;
use crate::wrapper::Watched;

/// Something that happens meanwhile.
type Edit = fn(&dyn Disk);

const EDITS: [(&str, Edit); 12] = [
    ("a new file is saved again", |disk| disk.create("/s/d/new")),
    ("a new file goes", |disk| disk.remove("/s/d/new")),
    ("an old file is saved", |disk| disk.create("/s/d/b")),
    ("a file that was saved is saved again", |disk| disk.create("/s/a")),
    ("a file that was saved goes", |disk| disk.remove("/s/a")),
    ("a folder is swapped for a symbolic link", |disk| {
        disk.rename("/s/d", "/o/d");
        disk.symlink("/s/d");
    }),
    ("a folder moves", |disk| disk.rename("/s/d", "/s/e/f")),
    ("the other name of a file goes", |disk| disk.remove("/o/c")),
    ("a file takes the name of a new one in the view", |disk| {
        disk.create("/v/new");
    }),
    ("a name in the view is renamed", |disk| {
        disk.rename("/v/b", "/v/mine");
    }),
    ("a name in the view is replaced", |disk| disk.create("/v/a")),
    ("a name in the view goes, its file keeping another", |disk| {
        disk.link("/v/a", "/o/safe");
        disk.remove("/v/a");
    }),
];

/// A view with something new, something saved, something gone.
fn world<D: Disk>(disk: D) -> World<D> {
    let mut world = World::new(disk);
    for file in ["/s/a", "/s/d/b", "/s/c", "/s/d/e/f"] {
        world.disk.create(file);
    }
    world.run();
    world.disk.create("/s/d/new");
    world.disk.create("/s/a");
    world.disk.link("/s/c", "/o/c");
    world.disk.remove("/s/c");
    world
}

fn at_every_call<D: Disk + Sync>(make: impl Fn() -> D, stride: usize) {
    for (what, edit) in EDITS {
        for call in (0u64..).step_by(stride) {
            let mut world = world(make());
            let disk = &world.disk;
            let had = Mutex::new(None);
            let fs = Watched::new(disk.fs());
            fs.at_call(call, || {
                edit(disk);
                *had.lock().unwrap() = Some(disk.names());
            });
            let update = plan(&fs, &world.request(), &world.ledger, &Silent);
            if let Ok(update) = update {
                let outcome = apply(&fs, update, &mut world.ledger, &Silent);
                // a source that comes and goes is no failure of ours
                let of_sources = what.starts_with("a file that was saved") || what.starts_with("a new file");
                assert!(
                    !of_sources || outcome.failures.is_empty(),
                    "{what} at call {call}: {outcome:?}"
                );
            }
            let over = fs.is_waiting();
            let before = fs.happened_before();
            drop(fs);
            let after = disk.names();
            for (path, (_, content)) in had.into_inner().unwrap().unwrap_or_default() {
                // between the last look at a name and its removal no file system lets one check (see the crate's limits)
                let unavoidable = matches!(before, "unlink" | "rename") && path.starts_with("/v");
                assert!(
                    unavoidable || after.values().any(|other| other.1 == content),
                    "{what} at call {call}, before {before}: {path:?} is lost"
                );
            }
            let outcome = world.run();
            assert!(outcome.failures.is_empty(), "{what} at call {call}: {outcome:?}");
            assert_eq!(world.plan().unwrap().step_count(), 0, "{what} at call {call}");
            let (names, view) = (world.disk.names(), world.in_view());
            for (path, (_, content)) in &names {
                if path.starts_with("/s") && *content != 0 {
                    let count = view.values().filter(|other| *other == content).count();
                    // a name that was renamed while the view was read was not met, and was made again
                    let most = 1 + usize::from(what == "a name in the view is renamed");
                    assert!(
                        (1..=most).contains(&count),
                        "{what} at call {call}: {path:?} in {view:?}"
                    );
                }
            }
            let rows = world.rows();
            for (path, found) in names.iter().filter(|(path, _)| path.starts_with("/v")) {
                let foreign = what.contains("in the view");
                assert!(
                    foreign || rows.get(path) == Some(&found.0.id),
                    "{what} at call {call}: {path:?} became foreign"
                );
            }
            if over {
                break;
            }
        }
    }
}

#[test]
fn on_the_model() {
    at_every_call(MemFs::new, 1);
}

#[test]
fn on_the_model_with_ids_that_cannot_be_trusted() {
    let options = MemOptions {
        lies: DirIdLies::Yes,
        reuse_ids: false,
        ..MemOptions::default()
    };
    at_every_call(|| MemFs::with(options), 1);
}

#[test]
fn on_a_real_folder() {
    at_every_call(Folder::new, 3 * slowness() as usize);
}
