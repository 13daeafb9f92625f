//! What the user can choose about orphans, old versions and deletions; and plans that the tree outran.

use std::path::Path;

use polylink_core::{DirIdLies, FaultKind, MemFs, MemOptions, Silent};
use polylink_view::{Appear, Deleted, Error, Ledger, Orphans, Outcome, Superseded, apply};

use crate::disk::Disk;
use crate::judge::{World, figures};

fn built(files: &[&str]) -> World<MemFs> {
    let mut world = World::new(MemFs::new());
    for file in files {
        Disk::create(&world.disk, file);
    }
    world.update();
    world
}

fn names(world: &World<MemFs>) -> Vec<String> {
    world.in_view().into_keys().collect()
}

/// An update whose forecast must come true.
fn run(world: &mut World<MemFs>) -> Outcome {
    let mut plan = world.plan().unwrap();
    plan.measure(&world.disk);
    let forecast = figures(plan.forecast());
    let outcome = apply(&world.disk, plan, &mut world.ledger, &Silent);
    assert!(outcome.is_complete(), "{outcome:?}");
    assert_eq!(figures(&outcome), forecast);
    assert_eq!(world.plan().unwrap().step_count(), 0);
    outcome
}

#[test]
fn orphans_can_be_deleted() {
    let mut world = built(&["/s/a", "/s/b"]);
    world.options.orphans = Orphans::Delete;
    Disk::remove(&world.disk, "/s/a");
    assert_eq!(run(&mut world).orphans_deleted, 1);
    Disk::create(&world.disk, "/s/b");
    assert_eq!(run(&mut world).relinked, 1);
    assert_eq!(names(&world), ["b"]);
    assert_eq!(world.disk.names().len(), 2, "the old version went as well");
}

#[test]
fn orphans_can_be_moved_and_find_a_free_name() {
    let mut world = built(&["/s/a.x", "/s/b.x"]);
    world.options.orphans = Orphans::Move("/o".into());
    let (a, b) = (world.content("/s/a.x"), world.content("/s/b.x"));
    Disk::create(&world.disk, "/o/a.x");
    Disk::create(&world.disk, "/o/a (2).x");
    Disk::remove(&world.disk, "/s/a.x");
    Disk::create(&world.disk, "/s/b.x");
    let outcome = run(&mut world);
    assert_eq!((outcome.orphans_moved, outcome.superseded), (1, 1));
    assert_eq!((world.content("/o/a (3).x"), world.content("/o/b.x")), (a, b));
    assert_eq!(names(&world), ["b.x"]);
}

#[test]
fn orphans_stay_where_they_cannot_be_moved() {
    let mut world = built(&["/s/a", "/s/b"]);
    world.options.orphans = Orphans::Move("/missing".into());
    Disk::remove(&world.disk, "/s/a");
    Disk::create(&world.disk, "/s/b");
    let old = world.in_view();
    let outcome = world.run();
    assert_eq!(
        (outcome.failures.len(), outcome.orphans_moved, outcome.relinked),
        (2, 0, 0)
    );
    assert_eq!((world.in_view(), outcome.view_names), (old, 2));
    Disk::mkdir(&world.disk, "/missing");
    assert_eq!(run(&mut world).orphans_moved, 1);
}

#[test]
fn a_new_file_does_not_take_the_name_of_an_orphan_that_could_not_go() {
    let mut world = built(&["/s/a"]);
    world.options.orphans = Orphans::Move("/missing".into());
    let old = world.content("/s/a");
    Disk::remove(&world.disk, "/s/a");
    Disk::create(&world.disk, "/s/d/a");
    assert_eq!(world.run().failures.len(), 2);
    world.options.orphans = Orphans::Keep;
    let outcome = run(&mut world);
    assert_eq!(outcome.orphans.len(), 1, "it is still known as ours");
    assert_eq!(world.in_view()["a"], old);
}

#[test]
fn old_versions_can_be_dropped_or_moved() {
    let mut world = built(&["/s/a"]);
    world.options.superseded = Superseded::Drop;
    Disk::create(&world.disk, "/s/a");
    assert_eq!(run(&mut world).superseded, 1);
    assert_eq!(world.disk.names().len(), 2);
    world.options.superseded = Superseded::Move("/o".into());
    for expected in ["/o/a", "/o/a (2)"] {
        let old = world.content("/s/a");
        Disk::create(&world.disk, "/s/a");
        assert_eq!(run(&mut world).superseded, 1);
        assert_eq!(world.content(expected), old);
    }
}

#[test]
fn a_file_that_only_looks_like_our_orphan_is_foreign() {
    for orphans in [Orphans::Delete, Orphans::Move("/o".into()), Orphans::Keep] {
        let mut world = built(&["/s/a", "/s/b"]);
        world.options.orphans = orphans;
        Disk::remove(&world.disk, "/s/a");
        Disk::remove(&world.disk, "/v/a");
        Disk::create(&world.disk, "/v/a"); // gets the number of the one that is gone
        let mine = world.content("/v/a");
        let outcome = run(&mut world);
        assert_eq!((outcome.foreign, outcome.orphans.len()), (1, 0));
        assert_eq!(world.content("/v/a"), mine);
    }
}

#[test]
fn a_file_that_only_looks_like_our_old_version_is_foreign() {
    let mut world = built(&["/s/d/a"]);
    Disk::remove(&world.disk, "/s/d/a");
    Disk::remove(&world.disk, "/v/a");
    Disk::create(&world.disk, "/v/a"); // gets the number of the one that is gone
    Disk::create(&world.disk, "/s/d/a");
    let mine = world.content("/v/a");
    let outcome = world.update();
    assert_eq!((outcome.relinked, outcome.linked, outcome.foreign), (0, 1, 1));
    assert_eq!(world.in_view()["a"], mine);
}

#[test]
fn a_deleted_name_can_stay_away_as_long_as_its_file_exists() {
    let mut world = built(&["/s/d/a", "/s/b"]);
    world.options.deleted = Deleted::Remember;
    Disk::remove(&world.disk, "/v/a");
    for _ in 0..2 {
        let outcome = run(&mut world);
        assert_eq!((outcome.linked, outcome.left_out.remembered), (0, 1));
    }
    Disk::rename(&world.disk, "/s/d/a", "/s/d/z");
    assert_eq!(run(&mut world).linked, 0, "it is still that file");
    // what cannot be seen is not forgotten
    world.deny("/s/d", true);
    world.run();
    world.deny("/s/d", false);
    assert_eq!(run(&mut world).linked, 0);
    // another file with the same number is another file
    Disk::remove(&world.disk, "/s/d/z");
    Disk::create(&world.disk, "/s/d/z");
    assert_eq!(run(&mut world).linked, 1);
}

#[test]
fn a_deleted_name_can_delete_its_source() {
    let mut world = built(&["/s/a", "/s/b", "/s/c"]);
    world.options.deleted = Deleted::DeleteSource;
    Disk::link(&world.disk, "/s/a", "/s/d/a");
    world.update();
    Disk::remove(&world.disk, "/v/a");
    let outcome = run(&mut world);
    assert_eq!((outcome.sources_deleted, outcome.linked), (1, 0));
    assert_eq!(world.disk.names().len(), 4);
}

#[test]
fn with_every_name_only_the_source_of_the_deleted_name_goes() {
    let mut world = built(&["/s/a", "/s/c"]);
    world.options.deleted = Deleted::DeleteSource;
    world.options.appear = Appear::EveryName;
    Disk::link(&world.disk, "/s/a", "/s/b");
    world.update();
    Disk::remove(&world.disk, "/v/a");
    assert_eq!(run(&mut world).sources_deleted, 1);
    assert!(!world.disk.names().contains_key(Path::new("/s/a")));
    world.content("/s/b");
}

#[test]
fn sources_are_not_deleted_where_every_name_is_gone() {
    let mut world = built(&["/s/a", "/s/b", "/s/c"]);
    world.options.deleted = Deleted::DeleteSource;
    for name in ["/v/a", "/v/b", "/v/c", "/s/c"] {
        Disk::remove(&world.disk, name);
    }
    assert!(matches!(
        world.plan().unwrap_err(),
        Error::EveryNameGone { names: 3, .. }
    ));
    // the directory itself is gone, or another one: that was no deletion of names
    for make_another in [false, true] {
        Disk::remove(&world.disk, "/v");
        if make_another {
            Disk::mkdir(&world.disk, "/v");
        }
        let outcome = run(&mut world);
        assert_eq!((outcome.sources_deleted, outcome.linked), (0, 2));
    }
}

#[test]
fn a_killed_run_does_not_make_a_deletion_of_what_it_left_out() {
    for deleted in [Deleted::DeleteSource, Deleted::Remember] {
        for (files, commits) in (0..5).flat_map(|files| (0..5).map(move |commits| (files, commits))) {
            let mut world = built(&["/s/a", "/s/b", "/s/c"]);
            world.options.deleted = deleted;
            Disk::remove(&world.disk, "/v");
            world.killed_update(Some(files), Some(commits));
            let outcome = run(&mut world);
            assert_eq!(outcome.sources_deleted + outcome.left_out.remembered, 0);
            assert_eq!(names(&world).len(), 3, "after {files} and {commits}");
        }
    }
}

#[test]
fn names_that_a_killed_run_removed_were_not_deleted_by_the_user() {
    for (files, commits) in (0..4).flat_map(|files| (0..4).map(move |commits| (files, commits))) {
        let mut world = built(&["/s/a", "/s/c"]);
        Disk::link(&world.disk, "/s/a", "/s/b");
        world.options.appear = Appear::EveryName;
        world.update();
        world.options.appear = Appear::OncePerFile;
        world.killed_update(Some(files), Some(commits));
        world.options.appear = Appear::EveryName;
        world.options.deleted = Deleted::DeleteSource;
        run(&mut world);
        assert_eq!(names(&world), ["a", "b", "c"], "after {files} and {commits}");
    }
}

/// Plans, lets `meanwhile` happen, applies, and checks that nothing was lost and the next run has it right.
fn outrun(options: MemOptions, prepare: impl Fn(&MemFs), meanwhile: impl Fn(&MemFs)) -> Outcome {
    let mut world = World::new(MemFs::with(options));
    for file in ["/s/a", "/s/b", "/s/c"] {
        Disk::create(&world.disk, file);
    }
    world.update();
    prepare(&world.disk);
    let plan = world.plan().unwrap();
    meanwhile(&world.disk);
    let before = world.disk.names();
    let outcome = apply(&world.disk, plan, &mut world.ledger, &Silent);
    let after = world.disk.names();
    for (path, (_, content)) in &before {
        assert!(
            after.values().any(|other| other.1 == *content),
            "{path:?} is lost"
        );
    }
    world.ledger = std::mem::replace(&mut world.ledger, Ledger::in_memory().unwrap());
    let last = world.run();
    assert!(last.failures.is_empty(), "{last:?}");
    assert_eq!(world.plan().unwrap().step_count(), 0);
    let view = world.in_view();
    for (path, (_, content)) in &world.disk.names() {
        if path.starts_with("/s") && *content != 0 {
            let count = view.values().filter(|other| *other == content).count();
            assert_eq!(count, 1, "{path:?} in {view:?}");
        }
    }
    outcome
}

#[test]
fn a_plan_that_the_tree_outran_loses_nothing() {
    let usual = MemOptions::default();
    let lying = MemOptions {
        lies: DirIdLies::Yes,
        ..usual
    };
    let fresh = MemOptions {
        reuse_ids: false,
        ..usual
    };
    for options in [usual, lying, fresh] {
        let create = |path: &'static str| move |fs: &MemFs| Disk::create(fs, path);
        let remove = |path: &'static str| move |fs: &MemFs| Disk::remove(fs, path);
        // a new source: replaced, gone, its directory swapped for a symbolic link, its name taken
        let replaced = outrun(options, create("/s/d/n"), create("/s/d/n"));
        assert_eq!(
            (replaced.linked, replaced.left_out.vanished),
            (0, 1),
            "the next run links what is there"
        );
        let gone = outrun(options, create("/s/d/n"), remove("/s/d/n"));
        assert_eq!((gone.linked, gone.left_out.vanished, gone.view_names), (0, 1, 3));
        let swapped = outrun(options, create("/s/d/n"), |fs| {
            Disk::rename(fs, "/s/d", "/o/d");
            Disk::symlink(fs, "/s/d");
        });
        assert_eq!((swapped.linked, swapped.failures.len()), (0, 1));
        let taken = outrun(options, create("/s/d/n"), create("/v/n"));
        assert_eq!(
            (taken.failures[0].fault.kind(), taken.view_names),
            (FaultKind::Exists, 3)
        );
        let link = outrun(options, create("/s/d/n"), |fs| {
            Disk::remove(fs, "/s/d/n");
            Disk::symlink(fs, "/s/d/n");
        });
        assert_eq!((link.linked, link.view_names), (0, 3));
        // a name to be removed: its file lost its other name, it leads elsewhere, it is gone
        let unlinked = |fs: &MemFs| {
            Disk::link(fs, "/s/a", "/o/a");
            Disk::remove(fs, "/s/a");
        };
        assert_eq!(outrun(options, unlinked, remove("/o/a")).removed, 0);
        assert_eq!(outrun(options, unlinked, create("/v/a")).removed, 0);
        assert!(outrun(options, unlinked, remove("/v/a")).is_complete());
        // a name to be relinked: the source saved again or gone, the view name replaced or gone, the other name gone
        let saved = |fs: &MemFs| {
            Disk::link(fs, "/s/a", "/o/a");
            Disk::create(fs, "/s/a");
        };
        for prepare in [&saved as &dyn Fn(&MemFs), &create("/s/a")] {
            assert_eq!(outrun(options, prepare, create("/s/a")).relinked, 0);
            assert_eq!(outrun(options, prepare, remove("/s/a")).relinked, 0);
            assert_eq!(outrun(options, prepare, create("/v/a")).relinked, 0);
            assert_eq!(
                outrun(options, prepare, create("/v/a (superseded)")).view_names,
                3
            );
            outrun(options, prepare, |fs| {
                Disk::link(fs, "/v/a", "/o/safe");
                Disk::remove(fs, "/v/a");
            });
        }
        assert_eq!(outrun(options, saved, remove("/o/a")).relinked, 0);
        // the whole view
        outrun(options, create("/s/d/n"), remove("/v"));
    }
}
