//! Copies and symbolic links in place of links that cannot be, killed while they are made and kept right.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::path::Path;

use super::edits::is_whole;
use super::{Patient, Tree, contents, edit, enough, explain, median};
use crate::judges::lab::{Lab, args, ensure};
use crate::judges::order::say;
use crate::judges::truth;
use crate::judges::{Stop, Verdict};

/// Runs that are not killed: they tell how long one takes.
const UNKILLED: u32 = 3;

/// The source lies on a file system of its own, so that nothing of it can be linked into the view.
pub(crate) fn fallback(lab: &Lab) -> Verdict {
    lab.memory("home")?;
    let mut patient = Patient::new(lab)?;
    patient.move_source(lab.ext4()?.join("tree"))?;
    let (mut times, mut serial, mut most_orphans) = (Vec::new(), 0, 0);
    for round in 0..lab.kills + UNKILLED {
        // the one kind has to take the place of the other
        let how = if round / 8 % 2 == 0 { "copy" } else { "symlink" };
        let context = explain(lab.seed, round, how);
        let copies = copies(&patient.view)?;
        let before = contents(&patient.source)?;
        let overwritten = edit(&patient.source, &mut patient.random, &mut serial).map_err(&context)?;
        let orphans = orphans(&before, &contents(&patient.source)?, &overwritten, copies);
        let mut words: Vec<OsString> = args([&"flat", &"--json", &"--fallback", &how]);
        words.extend([patient.source.clone().into(), patient.view.clone().into()]);
        if round >= UNKILLED {
            let usual = median(times.clone());
            patient.kill_run(words.clone(), usual).map_err(&context)?;
        }
        let start = std::time::Instant::now();
        lab.polylink(&words)?.exits(&[0]).map_err(&context)?;
        if round < UNKILLED {
            times.push(start.elapsed());
        }
        examine(&patient).map_err(&context)?;
        let now = self::copies(&patient.view)?;
        let lost: Vec<_> = orphans.difference(&now).collect();
        ensure(lost.is_empty(), || {
            format!("copies that were the last of their data are gone: {lost:?}")
        })
        .map_err(&context)?;
        most_orphans = most_orphans.max(orphans.len());
        let again = lab.polylink(&words)?.exits(&[0]).map_err(&context)?;
        for field in ["linked", "relinked", "renamed", "removed"] {
            again.number(field, 0).map_err(&context)?;
        }
    }
    patient.tell(median(times));
    say!("    {most_orphans} copies at most were the last of their data");
    ensure(most_orphans > 0 || lab.kills < 100, || {
        "no copy was ever the last of its data".to_owned()
    })?;
    enough(&patient)
}

/// What the files below a view or a clone hold, without those behind symbolic links.
pub(super) fn copies(dir: &Path) -> Verdict<BTreeSet<String>> {
    Ok(match dir.exists() {
        true => contents(dir)?.into_values().collect(),
        false => BTreeSet::new(),
    })
}

/// The copies whose source is gone: neither written to nor saved by rename, which a copy follows.
pub(super) fn orphans(
    before: &Tree,
    after: &Tree,
    overwritten: &BTreeSet<String>,
    mut copies: BTreeSet<String>,
) -> BTreeSet<String> {
    let held: BTreeSet<&String> = after.values().collect();
    let followed: BTreeSet<&String> = before
        .iter()
        .filter(|(path, content)| after.get(*path).is_some_and(|now| now != *content))
        .map(|(_, content)| content)
        .collect();
    copies.retain(|copy| !held.contains(copy) && !followed.contains(copy) && !overwritten.contains(copy));
    copies
}

/// Every file of the source can be read through the view, and nothing there is half made.
fn examine(patient: &Patient<'_>) -> Verdict {
    let mut held = BTreeSet::new();
    for entry in fs::read_dir(&patient.view)? {
        // through a symbolic link, as programs read the view
        let path = entry?.path();
        held.insert(
            fs::read_to_string(&path)
                .map_err(|error| Stop::Failed(format!("  {} cannot be read: {error}", path.display())))?,
        );
    }
    for (name, content) in contents(&patient.source)? {
        ensure(held.contains(&content), || {
            format!("`{content}` of {} is not in the view", name.display())
        })?;
    }
    let half = held.iter().find(|content| !is_whole(content));
    ensure(half.is_none(), || format!("half of a file in the view: {half:?}"))?;
    truth::nothing_left_behind(&patient.view)
}
