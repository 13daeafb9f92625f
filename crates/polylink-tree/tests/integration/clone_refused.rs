//! Clones on file systems that refuse something, or that change under them.

use std::path::Path;

use polylink_core::{
    At, FaultKind, FileFs, FsResult, Kind, LinkFs as _, MemFs, Name, Silent, is_part_name, part_name,
};
use polylink_tree::clone::{Options, Outcome, apply, plan};

use crate::clone::request;
use crate::hooked::{Call, Hooked};
use crate::world::look;

/// Symbolic links cannot have a further name, as on many file systems besides Linux's own.
fn no_further_symlinks(fs: &MemFs, call: Call<'_>) -> FsResult<()> {
    match call {
        Call::Link(at) if fs.stat(at)?.kind == Kind::Symlink => Err(FaultKind::NotPermitted.into()),
        _ => Ok(()),
    }
}

fn run(fs: &dyn FileFs) -> Outcome {
    apply(
        fs,
        &plan(fs, &request(Options::default()), &Silent).unwrap(),
        &Silent,
    )
}

fn point(fs: &MemFs, path: &str, target: &str) {
    let path = Path::new(path);
    // OK to ignore: there is none the first time
    let _ = fs.remove(path);
    let dir = fs.open_dir(path.parent().unwrap()).unwrap();
    let at = At::new(&dir, Name::from_os(path.file_name().unwrap()));
    fs.make_symlink(target.as_bytes(), at).unwrap();
    fs.edit_metadata(path, |m| m.modified = 7).unwrap();
}

#[test]
fn stopped_at_any_step_of_making_a_symbolic_link_anew_the_next_run_completes() {
    for later in ["same", "other", "gone"] {
        for steps in 0.. {
            let fs = MemFs::new();
            fs.create("/s/file", 1).unwrap();
            point(&fs, "/s/changes", "one");
            let hooked = Hooked::new(&fs, no_further_symlinks);
            assert_eq!(run(&hooked).symlinks, 1);
            point(&fs, "/s/changes", "two");
            point(&fs, "/s/new", "three");
            let stopped = plan(&hooked, &request(Options::default()), &Silent).unwrap();
            fs.stop_after(Some(steps));
            let outcome = apply(&hooked, &stopped, &Silent);
            fs.stop_after(None);
            match later {
                "other" => point(&fs, "/s/changes", "four"),
                "gone" => fs.remove("/s/new").unwrap(),
                _ => {}
            }
            let again = run(&hooked);
            assert!(again.is_complete(), "after {steps}: {:?}", again.failures);
            let mut last = run(&hooked);
            last.orphans.retain(|path| {
                // where the link is gone from the source, the clone has the only one: it stays
                *path != Path::new("/d/new") && !path.to_string_lossy().contains("(old")
            });
            assert_eq!(last.orphans, Vec::<std::path::PathBuf>::new(), "after {steps}");
            let (ours, theirs) = (look(&fs, Path::new("/s")), look(&fs, Path::new("/d")));
            for (path, seen) in &ours {
                let there = &theirs[path];
                assert_eq!(
                    (&seen.content, &seen.metadata),
                    (&there.content, &there.metadata),
                    "after {steps}"
                );
            }
            let left = theirs
                .keys()
                .filter(|path| is_part_name(Name::from_os(path.as_os_str())));
            assert_eq!(left.count(), 0, "after {steps}: {theirs:?}");
            if !outcome.stopped {
                assert!(steps > 4, "{steps}");
                break;
            }
        }
    }
}

#[test]
fn something_else_under_the_name_of_an_unfinished_copy_is_told_and_left() {
    let fs = MemFs::new();
    fs.create("/s/file", 1).unwrap();
    point(&fs, "/s/changes", "one");
    let hooked = Hooked::new(&fs, no_further_symlinks);
    run(&hooked);
    let part = part_name(Name::new("changes"));
    let inside = Path::new("/d").join(part.name().to_os().unwrap()).join("mine");
    fs.create(&inside, 5).unwrap();
    point(&fs, "/s/changes", "two");
    let outcome = run(&hooked);
    assert_eq!(outcome.failures.len(), 1, "{:?}", outcome.failures);
    assert_eq!(outcome.failures[0].fault.kind(), FaultKind::Exists);
    assert!(fs.all_names().contains_key(&inside));
}
