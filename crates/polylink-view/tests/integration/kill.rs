//! Runs killed at every step: after every number of changes to files, and after every number of commits.
//!
//! A kill stops both at once; here the two stop independently, which includes every real kill and more.

use polylink_core::{CaseRule, DirIdLies, MemFs, MemOptions, NameRules};
use polylink_view::{Appear, Deleted, Options, Orphans, Step, Superseded};

use crate::disk::Disk;
use crate::judge::World;

/// The volumes that a kill is tried on.
fn volumes() -> [MemOptions; 3] {
    let usual = MemOptions {
        batch: 3,
        ..MemOptions::default()
    };
    let folded = NameRules {
        case: CaseRule::Folded,
        ..NameRules::POSIX
    };
    [
        usual,
        MemOptions {
            reuse_ids: false,
            names: folded,
            ..usual
        },
        MemOptions {
            lies: DirIdLies::Yes,
            ..usual
        },
    ]
}

/// Kills the update that `edit` makes necessary at every step, and once more the run after it at every step where
/// `twice` says so; after each, one full run must have everything right.
fn at_every_step(built: impl Fn(&mut World<MemFs>), edit: impl Fn(&mut World<MemFs>)) {
    for options in volumes() {
        let world = || {
            let mut world = World::new(MemFs::with(options));
            built(&mut world);
            world.update();
            edit(&mut world);
            world
        };
        // a relinked name takes four changes: the old version kept, two links tried, a rename
        let most = |step: Step| if matches!(step, Step::Relink { .. }) { 4 } else { 1 };
        let changes: u64 = world().plan().unwrap().steps().map(most).sum();
        assert!(changes > 0, "nothing to kill");
        let all = options.reuse_ids && options.lies == DirIdLies::No;
        for files in (0..changes).map(Some).chain([None]) {
            for commits in (0..4)
                .map(Some)
                .chain([None])
                .filter(|&commits| all || commits != Some(3))
            {
                let mut world = world();
                world.killed_update(files, commits);
                // the next one is killed as well, somewhere else
                world.killed_update(files.map(|n| n.div_ceil(2)), None);
                world.update();
            }
        }
    }
}

fn create(world: &mut World<MemFs>, paths: &[&str]) {
    for path in paths {
        Disk::create(&world.disk, path);
    }
}

#[test]
fn a_first_build() {
    at_every_step(
        |_| {},
        |world| create(world, &["/s/a", "/s/d/b", "/s/d/c.x", "/t/x"]),
    );
}

#[test]
fn collisions() {
    at_every_step(
        |world| create(world, &["/s/d/a.x", "/v/b"]),
        |world| create(world, &["/s/a.x", "/s/e/A.x", "/s/e/b", "/s/b"]),
    );
}

#[test]
fn removals_and_a_new_file_of_the_same_name() {
    at_every_step(
        |world| create(world, &["/s/a", "/s/b", "/s/d/c"]),
        |world| {
            for name in ["a", "b"] {
                Disk::link(&world.disk, &format!("/s/{name}"), &format!("/o/{name}"));
                Disk::remove(&world.disk, &format!("/s/{name}"));
            }
            create(world, &["/s/d/a", "/s/e/c"]);
        },
    );
}

#[test]
fn files_saved_by_rename() {
    at_every_step(
        |world| create(world, &["/s/a.x", "/s/d/a.x", "/s/b"]),
        |world| {
            Disk::link(&world.disk, "/s/b", "/o/b");
            create(world, &["/s/a.x", "/s/d/a.x", "/s/b", "/s/a (superseded).x"]);
        },
    );
}

#[test]
fn files_saved_again_after_the_kill() {
    for options in volumes() {
        for (files, commits) in (0..8).flat_map(|files| (0..4).map(move |commits| (files, commits))) {
            let mut world = World::new(MemFs::with(options));
            create(&mut world, &["/s/a", "/s/b"]);
            world.update();
            create(&mut world, &["/s/a", "/s/b"]);
            world.killed_update(Some(files), Some(commits));
            create(&mut world, &["/s/a"]);
            Disk::remove(&world.disk, "/s/b");
            world.update();
        }
    }
}

#[test]
fn names_that_the_user_gave_and_deleted() {
    at_every_step(
        |world| create(world, &["/s/a", "/s/b", "/s/c", "/s/d/a"]),
        |world| {
            Disk::rename(&world.disk, "/v/a", "/v/x");
            Disk::rename(&world.disk, "/v/b", "/v/a");
            Disk::rename(&world.disk, "/v/x", "/v/b");
            Disk::remove(&world.disk, "/v/c");
            create(world, &["/v/c", "/s/e/a"]);
        },
    );
}

#[test]
fn every_name() {
    let several = |world: &mut World<MemFs>| {
        world.options.appear = Appear::EveryName;
        create(world, &["/s/a", "/s/b"]);
        for name in ["/s/d/a", "/s/e/a", "/s/c"] {
            Disk::link(&world.disk, "/s/a", name);
        }
    };
    at_every_step(|_| {}, several);
    at_every_step(several, |world| {
        create(world, &["/s/a", "/s/d/a"]);
        Disk::remove(&world.disk, "/s/c");
        Disk::remove(&world.disk, "/v/b");
    });
    at_every_step(several, |world| {
        create(world, &["/s/a", "/s/d/a", "/s/e/a", "/s/c"]);
    });
    at_every_step(several, |world| world.options.appear = Appear::OncePerFile);
}

#[test]
fn a_view_whose_ledger_is_lost() {
    at_every_step(
        |world| create(world, &["/s/a", "/s/b", "/s/d/b"]),
        |world| {
            world.lose_ledger();
            create(world, &["/s/b", "/s/e/b"]);
        },
    );
}

/// With policies under which data may go: only what the policy names, and what polylink moved is somewhere.
#[test]
fn orphans_and_old_versions_moved_at_every_step() {
    let options = Options {
        orphans: Orphans::Move("/o".into()),
        ..Options::default()
    };
    let both = Options {
        superseded: Superseded::Move("/o".into()),
        orphans: Orphans::Keep,
        ..Options::default()
    };
    for (options, volume) in [options, both]
        .into_iter()
        .flat_map(|o| volumes().map(|v| (o.clone(), v)))
    {
        for (files, commits) in (0..16).flat_map(|files| (0..5).map(move |commits| (files, commits))) {
            let mut world = World::new(MemFs::with(volume));
            create(&mut world, &["/s/a", "/s/b", "/s/c", "/o/a", "/o/b"]);
            world.update();
            world.options = options.clone();
            create(&mut world, &["/s/b", "/s/c"]);
            Disk::remove(&world.disk, "/s/a");
            let before: Vec<u64> = world.disk.names().values().map(|(_, content)| *content).collect();
            let plan = world.plan().unwrap();
            world.disk.stop_after(Some(files));
            world.ledger.stop_after(Some(commits));
            polylink_view::apply(&world.disk, plan, &mut world.ledger, &polylink_core::Silent);
            world.disk.stop_after(None);
            world.ledger.stop_after(None);
            let last = world.run();
            assert!(last.is_complete(), "{last:?}");
            let names = world.disk.names();
            for content in before {
                assert!(
                    names.values().any(|other| other.1 == content),
                    "lost after {files}, {commits}"
                );
            }
            assert_eq!(world.plan().unwrap().step_count(), 0);
            let temporary = names.keys().any(|path| path.to_string_lossy().ends_with(".tmp"));
            assert!(!temporary, "{names:?} after {files}, {commits}");
            let view = world.in_view();
            for name in ["b", "c"] {
                assert_eq!(
                    view[name],
                    world.content(&format!("/s/{name}")),
                    "after {files}, {commits}"
                );
            }
            let expected = match (&world.options.orphans, view.len()) {
                (Orphans::Keep, len) => len == 3,
                (_, len) => len == 2,
            };
            assert!(expected, "{view:?} after {files}, {commits}");
        }
    }
}

#[test]
fn sources_deleted_at_every_step() {
    for volume in volumes() {
        for (files, commits) in (0..6).flat_map(|files| (0..4).map(move |commits| (files, commits))) {
            let mut world = World::new(MemFs::with(volume));
            create(&mut world, &["/s/a", "/s/b", "/s/c"]);
            world.update();
            world.options.deleted = Deleted::DeleteSource;
            Disk::remove(&world.disk, "/v/a");
            Disk::remove(&world.disk, "/v/b");
            let plan = world.plan().unwrap();
            world.disk.stop_after(Some(files));
            world.ledger.stop_after(Some(commits));
            polylink_view::apply(&world.disk, plan, &mut world.ledger, &polylink_core::Silent);
            world.disk.stop_after(None);
            world.ledger.stop_after(None);
            world.options.deleted = Deleted::Restore;
            world.update();
            world.content("/s/c");
        }
    }
}

#[test]
fn an_old_version_beside_one_that_goes() {
    at_every_step(
        |world| {
            create(world, &["/s/a", "/s/b"]);
            world.update();
            create(world, &["/s/a", "/s/b"]);
        },
        |world| {
            for name in ["a", "b"] {
                Disk::link(
                    &world.disk,
                    &format!("/v/{name} (superseded)"),
                    &format!("/o/{name}"),
                );
            }
            create(world, &["/s/a", "/s/b"]);
        },
    );
}
