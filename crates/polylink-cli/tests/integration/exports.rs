//! `exports/` holds what the program would write now.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../exports")
}

fn files_below(dir: &Path, found: &mut BTreeSet<PathBuf>) {
    for entry in fs::read_dir(dir).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files_below(&path, found);
        } else {
            found.insert(path);
        }
    }
}

#[test]
fn exports_are_current() {
    let folder = folder();
    let bless = std::env::var_os("POLYLINK_BLESS").is_some_and(|value| value == "1");
    let wanted = polylink_cli::exports();
    let mut there = BTreeSet::new();
    files_below(&folder, &mut there);
    let mut stale = Vec::new();
    for (path, content) in &wanted {
        let path = folder.join(path);
        there.remove(&path);
        if fs::read(&path).ok().as_ref() == Some(content) {
            continue;
        }
        if bless {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, content).unwrap();
        } else {
            stale.push(path);
        }
    }
    for path in there {
        if bless {
            fs::remove_file(path).unwrap();
        } else {
            stale.push(path);
        }
    }
    assert!(
        stale.is_empty(),
        "stale: {stale:?}\nrun `cargo xtask exports` and commit what it writes"
    );
}

#[test]
fn every_command_has_a_page_and_a_place_in_the_reference() {
    let files = polylink_cli::exports();
    let reference = files
        .iter()
        .find(|(path, _)| path == Path::new("cli.md"))
        .map(|(_, text)| String::from_utf8(text.clone()).unwrap())
        .unwrap();
    for command in polylink_cli::command().get_subcommands() {
        let name = command.get_name();
        let page = PathBuf::from(format!("man/polylink-{name}.1"));
        assert!(files.iter().any(|(path, _)| *path == page), "{name}");
        assert!(reference.contains(&format!("\n## polylink {name}\n")), "{name}");
        let about = command.get_about().map(ToString::to_string).unwrap_or_default();
        assert!(!about.is_empty() && !about.ends_with('.'), "{name}: {about}");
        assert!(command.get_long_about().is_some(), "{name}");
        assert!(command.get_after_long_help().is_some(), "{name} has no examples");
    }
}
