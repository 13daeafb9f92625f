//! `polylink check --relink` killed at random instants.

use std::collections::BTreeMap;
use std::fs::{self, File, FileTimes};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, UNIX_EPOCH};

use super::{Knife, Random, Tree, contents, explain, median};
use crate::judges::lab::{Lab, args, ensure};
use crate::judges::order::say;
use crate::judges::{Verdict, truth};

/// Files of the source: half of them with links in the view, half with copies.
const FILES: usize = 120;

fn name(at: usize) -> String {
    format!("img_{at:03}.jpg")
}

/// Puts a copy into the place of a name of the view: a file of its own with all that the source has.
fn copy(source: &Path, view: &Path, at: usize) -> Verdict {
    let new = view.join(name(at));
    if new.exists() {
        fs::remove_file(&new)?;
    }
    fs::copy(source.join(name(at)), &new)?;
    set_time(&new)
}

fn set_time(path: &Path) -> Verdict {
    let time = UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    let file = File::options().write(true).open(path)?;
    Ok(file.set_times(FileTimes::new().set_modified(time))?)
}

/// Whatever happened: every name holds what it held, and leads to the source's file or to a copy with its one name.
fn whole(source: &Path, view: &Path, before: &Tree) -> Verdict {
    ensure(contents(source)? == *before, || "the source changed".to_owned())?;
    let mut held: BTreeMap<PathBuf, String> = contents(view)?;
    held.retain(|name, _| !name.to_string_lossy().starts_with(".polylink"));
    ensure(held == *before, || {
        "names or contents of the view changed".to_owned()
    })
}

pub(crate) fn relink(lab: &Lab) -> Verdict {
    let home = lab.folder("home")?;
    let (source, view) = (home.join("tree"), home.join("view"));
    fs::create_dir(&source)?;
    fs::create_dir(&view)?;
    for at in 0..FILES {
        let path = source.join(name(at));
        // of one length, and large enough that comparing takes a while
        fs::write(&path, format!("{at:06}").repeat(4_000))?;
        set_time(&path)?;
        match at % 2 {
            0 => fs::hard_link(&path, view.join(name(at)))?,
            _ => copy(&source, &view, at)?,
        }
    }
    let before = contents(&source)?;
    let mut random = Random::new(lab.seed);
    let words = args([&"check", &"--relink", &source, &view]);
    let (mut times, mut knife) = (Vec::new(), Knife::NEW);
    for round in 0..lab.kills + 3 {
        let context = explain(lab.seed, round, "relinking");
        for _ in 0..FILES / 4 {
            copy(&source, &view, random.below(FILES)).map_err(&context)?;
        }
        if round >= 3 {
            let mut command = lab.command();
            command.args(&words);
            knife
                .strike(command, median(times.clone()), &mut random)
                .map_err(&context)?;
            whole(&source, &view, &before).map_err(&context)?;
        }
        let start = Instant::now();
        lab.polylink(&words)?.exits(&[0]).map_err(&context)?;
        if round < 3 {
            times.push(start.elapsed());
        }
        whole(&source, &view, &before).map_err(&context)?;
        truth::nothing_left_behind(&view).map_err(&context)?;
        for at in 0..FILES {
            let links = fs::metadata(source.join(name(at)))?.nlink();
            ensure(links == 2, || format!("{} has {links} names", name(at))).map_err(&context)?;
        }
    }
    let (killed, usual) = (knife.killed, median(times).as_secs_f64() * 1e3);
    say!(
        "    {killed} of {} runs killed before their end, a run takes {usual:.0} ms, --seed {}",
        lab.kills,
        lab.seed
    );
    ensure(killed * 4 >= lab.kills, || {
        format!("only {killed} of {} runs were killed before their end", lab.kills)
    })
}
