//! The update table of the flat view, row by row, and what goes into a view under which name.

use polylink_core::{CaseRule, FaultKind, MemFs, MemOptions, NameRules};
use polylink_view::{Appear, Error, Filter, LeftOut, Template};

use crate::disk::Disk;
use crate::judge::World;

fn world() -> World<MemFs> {
    World::new(MemFs::new())
}

fn names(world: &World<MemFs>) -> Vec<String> {
    world.in_view().into_keys().collect()
}

/// A world with these files and an up-to-date view.
fn built(files: &[&str]) -> World<MemFs> {
    let mut world = world();
    for file in files {
        Disk::create(&world.disk, file);
    }
    world.update();
    world
}

#[test]
fn a_new_file_is_linked() {
    let mut world = built(&["/s/a"]);
    Disk::create(&world.disk, "/s/d/b");
    let outcome = world.update();
    assert_eq!((outcome.linked, outcome.kept), (1, 1));
    assert_eq!(world.in_view()["b"], world.content("/s/d/b"));
}

#[test]
fn a_view_name_goes_with_its_source_where_the_file_has_other_names() {
    let mut world = built(&["/s/a", "/s/b"]);
    Disk::link(&world.disk, "/s/a", "/o/a");
    Disk::remove(&world.disk, "/s/a");
    let outcome = world.update();
    assert_eq!((outcome.removed, names(&world)), (1, vec!["b".to_owned()]));
}

#[test]
fn the_last_name_of_a_file_stays_and_is_reported() {
    let mut world = built(&["/s/a"]);
    Disk::remove(&world.disk, "/s/a");
    for _ in 0..2 {
        let outcome = world.update();
        assert_eq!(
            (outcome.orphans.len(), outcome.view_names, outcome.kept),
            (1, 1, 0)
        );
    }
    assert_eq!(names(&world), ["a"]);
}

#[test]
fn a_file_saved_by_rename_is_relinked_and_its_last_old_version_kept() {
    let mut world = built(&["/s/a.x", "/s/b"]);
    let (old_a, old_b) = (world.content("/s/a.x"), world.content("/s/b"));
    Disk::link(&world.disk, "/s/b", "/o/b");
    Disk::create(&world.disk, "/s/a.x");
    Disk::create(&world.disk, "/s/b");
    let outcome = world.update();
    assert_eq!(
        (outcome.relinked, outcome.superseded, outcome.orphans.len()),
        (2, 1, 1)
    );
    let view = world.in_view();
    assert_eq!(view["a.x"], world.content("/s/a.x"));
    assert_eq!(view["b"], world.content("/s/b"));
    assert_eq!((view["a (superseded).x"], view.len()), (old_a, 3));
    assert_eq!(world.content("/o/b"), old_b);
}

#[test]
fn a_renamed_source_keeps_its_view_name_and_a_later_save_finds_it() {
    let mut world = built(&["/s/a"]);
    Disk::rename(&world.disk, "/s/a", "/s/d/z");
    assert_eq!(world.update().kept, 1);
    Disk::create(&world.disk, "/s/d/z");
    assert_eq!(world.update().relinked, 1);
    assert_eq!(world.in_view()["a"], world.content("/s/d/z"));
}

#[test]
fn a_moved_source_directory_changes_no_name() {
    let mut world = built(&["/s/d/a", "/s/e/a", "/s/e/b"]);
    let before = world.in_view();
    Disk::rename(&world.disk, "/s/e", "/s/c/f");
    assert_eq!(world.update().kept, 3);
    assert_eq!(world.in_view(), before);
}

#[test]
fn a_name_that_the_user_gave_is_kept() {
    let mut world = built(&["/s/a", "/s/b"]);
    Disk::rename(&world.disk, "/v/a", "/v/mine");
    let outcome = world.update();
    assert_eq!((outcome.renamed, outcome.linked), (1, 0));
    assert_eq!(names(&world), ["b", "mine"]);
    // two names swapped
    Disk::rename(&world.disk, "/v/b", "/v/x");
    Disk::rename(&world.disk, "/v/mine", "/v/b");
    Disk::rename(&world.disk, "/v/x", "/v/mine");
    assert_eq!(world.update().renamed, 2);
    Disk::create(&world.disk, "/s/a");
    assert_eq!(world.update().relinked, 1);
    assert_eq!(world.in_view()["b"], world.content("/s/a"));
}

#[test]
fn a_name_that_the_user_deleted_is_made_again() {
    let mut world = built(&["/s/d/a", "/s/e/a"]);
    Disk::remove(&world.disk, "/v/a (e)");
    let outcome = world.update();
    assert_eq!((outcome.linked, outcome.kept), (1, 1));
    assert_eq!(names(&world), ["a", "a (e)"], "under the name that it had");
}

#[test]
fn a_foreign_name_is_never_touched_and_is_a_collision() {
    let mut world = world();
    Disk::create(&world.disk, "/v/a");
    Disk::mkdir(&world.disk, "/v/b");
    Disk::symlink(&world.disk, "/v/c");
    for file in ["/s/d/a", "/s/d/b", "/s/d/c"] {
        Disk::create(&world.disk, file);
    }
    let mine = world.content("/v/a");
    let outcome = world.update();
    assert_eq!((outcome.foreign, outcome.linked), (3, 3));
    assert_eq!(world.in_view()["a"], mine);
    assert_eq!(names(&world), ["a", "a (d)", "b (d)", "c", "c (d)"]);
    // one that takes the place of ours
    Disk::create(&world.disk, "/v/a (d)");
    assert_eq!(world.update().foreign, 4);
}

#[test]
fn nothing_below_what_cannot_be_read_is_removed() {
    let mut world = built(&["/s/d/a", "/s/d/e/b", "/s/c"]);
    for file in ["/s/d/a", "/s/d/e/b", "/s/c"] {
        Disk::link(&world.disk, file, &format!("/o{file}"));
    }
    world.deny("/s/d", true);
    Disk::remove(&world.disk, "/s/d/a");
    Disk::remove(&world.disk, "/s/c");
    let outcome = world.update();
    assert_eq!(
        (outcome.held, outcome.removed, outcome.unreadable.len()),
        (2, 1, 1)
    );
    assert!(!outcome.is_complete());
    world.deny("/s/d", false);
    assert_eq!(world.update().removed, 1);
    assert_eq!(names(&world), ["b"]);
}

#[test]
fn with_every_name_nothing_below_what_cannot_be_read_is_removed_for_another_name_of_the_file() {
    let mut world = built(&["/s/d/a"]);
    world.options.appear = Appear::EveryName;
    Disk::link(&world.disk, "/s/d/a", "/s/b");
    world.update();
    world.deny("/s/d", true);
    let outcome = world.update();
    assert_eq!((outcome.held, outcome.removed), (1, 0));
    assert_eq!(names(&world), ["a", "b"]);
}

#[test]
fn what_a_mount_hides_is_not_removed() {
    let mut world = built(&["/s/m/a", "/s/b"]);
    Disk::link(&world.disk, "/s/m/a", "/o/a");
    Disk::remove(&world.disk, "/s/m");
    world.mount("/s/m");
    let outcome = world.update();
    assert_eq!((outcome.held, outcome.left_out.mounts), (1, 1));
    assert_eq!(names(&world), ["a", "b"]);
}

#[test]
fn a_lost_ledger_is_made_again_from_the_files() {
    let mut world = built(&["/s/d/a", "/s/e/a", "/s/b"]);
    let before = world.in_view();
    world.lose_ledger();
    let outcome = world.update();
    assert_eq!((outcome.adopted, outcome.kept, outcome.linked), (3, 3, 0));
    assert_eq!(world.in_view(), before);
}

#[test]
fn a_file_with_several_names_appears_once_or_once_for_each() {
    let mut world = world();
    Disk::create(&world.disk, "/s/d/b");
    Disk::link(&world.disk, "/s/d/b", "/s/a");
    Disk::link(&world.disk, "/s/d/b", "/s/e/b");
    let outcome = world.update();
    assert_eq!(
        (names(&world), outcome.left_out.other_names),
        (vec!["a".to_owned()], 2)
    );
    world.options.appear = Appear::EveryName;
    assert_eq!(world.update().linked, 2);
    assert_eq!(names(&world), ["a", "b", "b (e)"]);
    // a name that goes takes its view name with it, whatever else the file is called
    Disk::remove(&world.disk, "/s/d/b");
    assert_eq!(world.update().removed, 1);
    assert_eq!(names(&world), ["a", "b (e)"]);
    world.options.appear = Appear::OncePerFile;
    assert_eq!(world.update().removed, 1);
    assert_eq!(names(&world).len(), 1);
}

#[test]
fn later_files_get_a_label_and_then_a_number() {
    let mut world = built(&["/s/2006/11/a.x", "/s/2007/02/a.x"]);
    Disk::create(&world.disk, "/s/2005/2007/02/a.x");
    world.update();
    Disk::create(&world.disk, "/s/2007/02/b");
    Disk::create(&world.disk, "/v/c (2007-02)");
    Disk::create(&world.disk, "/v/c");
    Disk::create(&world.disk, "/s/2007/02/c");
    world.update();
    assert_eq!(
        names(&world),
        [
            "a (2005-2007-02).x",
            "a (2007-02).x",
            "a.x",
            "b",
            "c",
            "c (2007-02)",
            "c (2007-02) (2)"
        ]
    );
}

#[test]
fn names_stay_when_the_first_holder_goes() {
    let mut world = built(&["/s/d/a", "/s/e/a"]);
    Disk::link(&world.disk, "/s/d/a", "/o/a");
    Disk::remove(&world.disk, "/s/d/a");
    world.update();
    assert_eq!(names(&world), ["a (e)"]);
    Disk::create(&world.disk, "/s/c/a");
    world.update();
    assert_eq!(names(&world), ["a", "a (e)"]);
}

#[test]
fn names_that_differ_in_case_collide_where_the_volume_says_so() {
    let names_rule = |case| NameRules {
        case,
        ..NameRules::POSIX
    };
    for (case, expected) in [
        (CaseRule::Sensitive, ["A.X", "a.x"]),
        (CaseRule::Folded, ["A.X", "a (e).x"]),
    ] {
        let mut world = World::new(MemFs::with(MemOptions {
            names: names_rule(case),
            ..MemOptions::default()
        }));
        Disk::create(&world.disk, "/s/d/A.X");
        Disk::create(&world.disk, "/s/e/a.x");
        world.update();
        assert_eq!(names(&world), expected);
    }
}

#[test]
fn a_name_that_would_be_too_long_keeps_its_extension() {
    let mut world = world();
    let long = format!("{}.jpeg", "n".repeat(250));
    let folder = "f".repeat(200);
    for dir in ["/s/d", "/s/e"] {
        Disk::create(&world.disk, &format!("{dir}/{long}"));
        Disk::create(&world.disk, &format!("{dir}/{folder}/{folder}/b.jpeg"));
    }
    assert_eq!(world.update().linked, 4);
    let names = names(&world);
    assert_eq!(names.len(), 4);
    assert!(
        names
            .iter()
            .all(|name| name.ends_with(".jpeg") && name.len() <= 255),
        "{names:?}"
    );
}

#[test]
fn a_template_forms_the_names_and_numbers_never_run_out() {
    let mut world = world();
    world.options.template = Template::parse("{parent}_{stem}-{n}.{ext}").unwrap();
    let long = format!("{}.jpeg", "n".repeat(250));
    for dir in ["/s/c/d", "/s/e/d"] {
        Disk::create(&world.disk, &format!("{dir}/a.x"));
        Disk::create(&world.disk, &format!("{dir}/{long}"));
    }
    assert_eq!(world.update().linked, 4);
    let names = names(&world);
    assert!(
        names.starts_with(&["d_a-1.x".to_owned(), "d_a-2.x".to_owned()]),
        "{names:?}"
    );
    assert!(
        names[2..].iter().all(|name| name.ends_with(").jpeg")),
        "{names:?}"
    );
}

#[test]
fn what_is_no_regular_file_is_counted_and_left_out() {
    let mut world = built(&["/s/a"]);
    Disk::symlink(&world.disk, "/s/link");
    Disk::create(&world.disk, "/s/.other.polylink");
    Disk::create(&world.disk, "/s/.other.polylink.new");
    Disk::create(&world.disk, "/s/.polylink-0123456789abcdef.tmp");
    Disk::create(&world.disk, "/s/d/b.jpg");
    Disk::create(&world.disk, "/s/d/b.png");
    world.options.filter = Filter::new(&["*.jpg", "a"], &["a"]).unwrap();
    let outcome = world.run();
    let expected = LeftOut {
        symlinks: 1,
        own: 3,
        filtered: 2,
        ..LeftOut::default()
    };
    assert_eq!(outcome.left_out, expected);
    assert_eq!(
        outcome.removed, 1,
        "a file that is filtered out is not wanted any more"
    );
    assert_eq!(names(&world), ["b.jpg"]);
}

#[test]
fn the_view_inside_a_source_is_not_walked_into() {
    let mut world = world();
    world.view = "/s/v".into();
    Disk::create(&world.disk, "/s/a");
    assert_eq!(world.update().linked, 1);
    assert_eq!(world.update().kept, 1);
}

#[test]
fn overlapping_sources_take_each_file_once() {
    let mut world = world();
    Disk::create(&world.disk, "/s/d/a");
    Disk::create(&world.disk, "/s/b");
    world.sources = vec!["/s/d".into(), "/s".into(), "/s".into()];
    world.options.appear = Appear::EveryName;
    assert_eq!(world.plan().unwrap().overlaps().len(), 2);
    assert_eq!(world.update().linked, 2);
    world.sources.reverse();
    assert_eq!(world.update().kept, 2, "their order does not matter");
}

#[test]
fn what_cannot_be_a_view_is_said() {
    let mut world = world();
    Disk::create(&world.disk, "/file");
    Disk::mkdir(&world.disk, "/v/inside");
    Disk::mount(&world.disk, "/other");
    let mut error = |sources: &[&str], view: &str| {
        world.sources = sources.iter().map(ToString::to_string).collect();
        world.view = view.into();
        world.plan().unwrap_err()
    };
    assert!(matches!(error(&["/missing"], "/v"), Error::Path(e) if e.fault.kind() == FaultKind::NotFound));
    assert!(matches!(error(&["/file"], "/v"), Error::Path(e) if e.fault.kind() == FaultKind::NotDirectory));
    assert!(matches!(error(&[], "/v"), Error::NoSource));
    assert!(matches!(error(&["/s"], "/file"), Error::ViewIsNotDirectory(_)));
    assert!(matches!(error(&["/s"], "/"), Error::ViewIsNotDirectory(_)));
    assert!(matches!(error(&["/s"], "/missing/v"), Error::Path(_)));
    assert!(matches!(
        error(&["/v/inside"], "/v"),
        Error::SourceInsideView { .. }
    ));
    assert!(matches!(error(&["/v"], "/v"), Error::SourceInsideView { .. }));
    assert!(matches!(error(&["/other"], "/v"), Error::OtherVolume { .. }));
    assert!(matches!(error(&["/s"], "/other/v"), Error::OtherVolume { .. }));
}

#[test]
fn a_file_at_its_link_limit_is_reported_and_the_others_are_linked() {
    let mut world = World::new(MemFs::with(MemOptions {
        link_limit: 2,
        ..MemOptions::default()
    }));
    Disk::create(&world.disk, "/s/a");
    Disk::create(&world.disk, "/s/b");
    Disk::link(&world.disk, "/s/a", "/o/a");
    let outcome = world.update();
    assert_eq!(
        (outcome.linked, outcome.failures.len(), outcome.view_names),
        (1, 1, 1)
    );
    assert_eq!(outcome.failures[0].fault.symbol(), "EMLINK");
    Disk::remove(&world.disk, "/o/a");
    assert_eq!(world.update().linked, 1);
}

#[test]
fn what_a_killed_run_left_behind_goes_but_never_a_last_name() {
    let mut world = built(&["/s/a"]);
    let temporary = |name: &str| {
        let name = polylink_core::temporary_name(polylink_core::Name::new(name));
        format!("/v/{}", name.name().text().unwrap())
    };
    Disk::link(&world.disk, "/s/a", &temporary("a"));
    Disk::create(&world.disk, &temporary("b"));
    assert_eq!(world.plan().unwrap().step_count(), 1);
    let outcome = world.run();
    assert_eq!((outcome.foreign, outcome.failures.len()), (1, 0));
    assert_eq!(world.in_view().len(), 2);
    world.content(&temporary("b"));
}

#[test]
fn a_temporary_name_is_no_other_name_of_an_old_version() {
    let mut world = built(&["/s/a"]);
    world.options.appear = Appear::EveryName;
    let old = world.content("/s/a");
    let temporary = polylink_core::temporary_name(polylink_core::Name::new("b"));
    Disk::link(
        &world.disk,
        "/s/a",
        &format!("/v/{}", temporary.name().text().unwrap()),
    );
    Disk::create(&world.disk, "/s/a");
    let outcome = world.update();
    assert!(outcome.is_complete(), "{outcome:?}");
    assert_eq!(world.in_view()["a (superseded)"], old);
}

#[test]
fn an_old_version_does_not_get_a_name_that_goes_in_the_same_run() {
    let mut world = built(&["/s/a"]);
    Disk::create(&world.disk, "/s/a");
    world.update();
    // the old version of the old version finds another name, and goes; another old version comes
    Disk::link(&world.disk, "/v/a (superseded)", "/o/old");
    Disk::create(&world.disk, "/s/a");
    let outcome = world.update();
    assert_eq!((outcome.removed, outcome.superseded), (1, 1));
    assert_eq!(names(&world), ["a", "a (superseded) (2)"]);
}
