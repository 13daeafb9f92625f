//! Runs that are stopped after every number of steps, as a kill does.

use polylink_core::{MemFs, MemOptions, Silent};
use polylink_dedupe::{SplitOptions, apply, apply_split, plan_split};

use crate::world::{contents, file, is_own, merged, one_thread, planned, targets, view};

/// Two link groups of three files each, one of them with a name beyond.
fn setup() -> MemFs {
    let fs = MemFs::with(MemOptions::default());
    for (set, size) in [(1_u64, 20_000), (2, 100)] {
        for number in 0..3 {
            let path = format!("/t/{set}/f{number}");
            file(&fs, &path, size, set << 16, 0o644, 1);
            fs.link_path(&path, format!("/t/{set}/d/g{number}")).unwrap();
        }
    }
    fs.link_path("/t/1/f1", "/beyond").unwrap();
    fs
}

#[test]
fn a_merge_that_is_stopped_anywhere_loses_nothing_and_the_next_run_completes_it() {
    let whole = setup();
    let done = merged(&whole, &["/t"], &one_thread());
    assert_eq!((done.moved_names, done.freed_files), (8, 4));
    let mut steps = 0;
    loop {
        let fs = setup();
        let before = contents(&view(&fs));
        let plan = planned(&fs, &targets(&fs, &["/t"]), &one_thread());
        fs.stop_after(Some(steps));
        let stopped = apply(&fs, plan, &Silent);
        fs.stop_after(None);
        assert_eq!(contents(&view(&fs)), before, "stopped after {steps}");
        merged(&fs, &["/t"], &one_thread());
        assert_eq!(contents(&view(&fs)), before, "stopped after {steps}");
        assert!(
            !fs.all_names().keys().any(|path| is_own(path)),
            "stopped after {steps}"
        );
        let again = merged(&fs, &["/t"], &one_thread());
        assert_eq!((again.moved_names, again.sets), (0, 0), "stopped after {steps}");
        if stopped.is_complete() {
            break;
        }
        steps += 1;
    }
    // a link and a rename for each name at least, so there were that many places to stop at
    assert!(steps >= 16, "{steps}");
}

#[test]
fn a_split_that_is_stopped_anywhere_loses_nothing_and_the_next_run_completes_it() {
    let mut steps = 0;
    loop {
        let fs = setup();
        let before = contents(&view(&fs));
        let plan = plan_split(&fs, &targets(&fs, &["/t"]), &SplitOptions::default(), &Silent);
        fs.stop_after(Some(steps));
        let stopped = apply_split(&fs, plan, &Silent);
        fs.stop_after(None);
        assert_eq!(contents(&view(&fs)), before, "stopped after {steps}");
        let plan = plan_split(&fs, &targets(&fs, &["/t"]), &SplitOptions::default(), &Silent);
        apply_split(&fs, plan, &Silent);
        let after = view(&fs);
        assert_eq!(contents(&after), before, "stopped after {steps}");
        assert!(
            after.values().all(|view| view.stat.links == 1),
            "stopped after {steps}"
        );
        assert!(
            !fs.all_names().keys().any(|path| is_own(path)),
            "stopped after {steps}"
        );
        if stopped.is_complete() {
            break;
        }
        steps += 1;
    }
    assert!(steps >= 14, "{steps}");
}
