//! Changes followed: news fed by the test, so that every burst is what the test says, on the model file system.

use std::collections::{BTreeMap, VecDeque};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use polylink_core::{
    CaseRule, DirIdLies, FileId, LinkFs as _, MemFs, MemOptions, NameRules, Progress, Silent,
};
use polylink_view::{
    Deleted, Event, Events, Happened, Ledger, NoWatch, Options, Orphans, Request, Superseded, Timing, apply,
    follow, plan,
};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::RngSeed;

/// What somebody does behind polylink's back.
#[derive(Clone, Debug)]
enum Edit {
    /// A new file, or one saved by rename.
    Create(String),
    Remove(String),
    Rename(String, String),
    Link(String, String),
    MakeDir(String),
    /// The system loses what it should have told.
    Lose,
}

struct Stop(AtomicBool);

impl Progress for Stop {
    fn cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Tells of edits as inotify does: by the path under which the directory was watched, which it may have left.
struct Feed<'a> {
    fs: &'a MemFs,
    groups: VecDeque<Vec<Edit>>,
    watches: BTreeMap<FileId, PathBuf>,
    news: VecDeque<Event>,
    moves: usize,
    most_watches: usize,
    /// What somebody moves back while nothing can be watched.
    back: Option<(&'static str, &'static str)>,
    stop: &'a Stop,
}

impl Feed<'_> {
    fn id(&self, dir: &Path) -> Option<FileId> {
        let dir = self.fs.open_dir(dir).ok()?;
        self.fs.stat_dir(&dir).ok().map(|stat| stat.id)
    }

    /// The path by which news of this name come, if its directory is watched.
    fn heard(&self, path: &str) -> Option<PathBuf> {
        let path = Path::new(path);
        let dir = self.id(path.parent()?)?;
        Some(self.watches.get(&dir)?.join(path.file_name()?))
    }

    fn drop_watches(&mut self, below: &Path) {
        self.watches.retain(|_, path| !path.starts_with(below));
    }

    /// Tells of directories that were made on the way, also where the edit itself then failed.
    fn made(&mut self, dirs: &[String]) {
        for dir in dirs.iter().filter(|dir| self.fs.open_dir(dir.as_ref()).is_ok()) {
            self.news.extend(self.heard(dir).map(Event::Changed));
        }
    }

    fn edit(&mut self, edit: &Edit) {
        match edit {
            Edit::Create(path) => {
                let made = missing_dirs(self.fs, path);
                let created = self.fs.create(path, 10).is_ok();
                self.made(&made);
                if created {
                    self.news.extend(self.heard(path).map(Event::Changed));
                }
            }
            Edit::MakeDir(path) => {
                let made = missing_dirs(self.fs, &format!("{path}/x"));
                let _ = self.fs.mkdir(path);
                self.made(&made);
            }
            Edit::Remove(path) => {
                let heard = self.heard(path);
                if self.fs.remove(path).is_ok()
                    && let Some(heard) = heard
                {
                    self.drop_watches(&heard);
                    self.news.push_back(Event::Changed(heard));
                }
            }
            Edit::Rename(from, to) => {
                let heard = self.heard(from);
                let made = missing_dirs(self.fs, to);
                let renamed = self.fs.rename_path(from, to).is_ok();
                self.made(&made);
                if renamed {
                    self.moves += 1;
                    if let Some(heard) = heard {
                        self.drop_watches(&heard);
                        self.news.push_back(Event::MovedFrom(heard, self.moves));
                    }
                    let to = self.heard(to);
                    self.news.extend(to.map(|to| Event::MovedTo(to, self.moves)));
                }
            }
            Edit::Link(existing, new) => {
                let made = missing_dirs(self.fs, new);
                let linked = self.fs.link_path(existing, new).is_ok();
                self.made(&made);
                if linked {
                    self.news.extend(self.heard(new).map(Event::Changed));
                }
            }
            Edit::Lose => {
                self.news.clear();
                self.news.push_back(Event::Overflow);
            }
        }
    }
}

/// The directories that `create` makes on its way to a path.
fn missing_dirs(fs: &MemFs, path: &str) -> Vec<String> {
    let mut missing: Vec<String> = Path::new(path)
        .ancestors()
        .skip(1)
        .take_while(|dir| fs.open_dir(dir).is_err())
        .map(|dir| dir.to_str().unwrap().to_owned())
        .collect();
    missing.reverse();
    // of those below the first nobody tells: nobody watches it yet
    missing.truncate(1);
    missing
}

impl Events for Feed<'_> {
    fn watch(&mut self, dir: &Path) -> Result<(), NoWatch> {
        let id = self.id(dir).ok_or(NoWatch::Gone)?;
        if self.watches.len() >= self.most_watches && !self.watches.contains_key(&id) {
            return Err(NoWatch::Limit);
        }
        self.watches.insert(id, dir.to_path_buf());
        Ok(())
    }

    fn unwatch(&mut self, dir: &Path) {
        self.watches.retain(|_, path| path != dir);
    }

    fn reset(&mut self) {
        self.watches.clear();
    }

    fn next(&mut self, timeout: Duration) -> Option<Event> {
        if self.watches.is_empty()
            && let Some((from, to)) = self.back.take()
        {
            self.fs.rename_path(from, to).unwrap();
            return None;
        }
        if self.news.is_empty() && timeout > Duration::from_millis(100) {
            match self.groups.pop_front() {
                Some(edits) => edits.iter().for_each(|edit| self.edit(edit)),
                None => self.stop.0.store(true, Ordering::Relaxed),
            }
        }
        self.news.pop_front()
    }
}

const TIMING: Timing = Timing {
    quiet: Duration::from_millis(1),
    longest: Duration::from_secs(100),
    rescan: Duration::from_secs(10_000),
    retry: Duration::from_millis(20),
};

fn request(options: &Options, view: &str) -> Request {
    Request {
        sources: vec!["/s".into(), "/t".into()],
        view: view.into(),
        options: options.clone(),
    }
}

fn new_disk(options: &MemOptions) -> MemFs {
    let fs = MemFs::with(*options);
    for dir in ["/s", "/t", "/o/moved"] {
        fs.mkdir(dir).unwrap();
    }
    fs
}

/// Follows these groups of edits, each told in one burst, and gives what the disk is then, and what was told of.
fn followed(
    disk: &MemFs,
    ledger: &mut Ledger,
    request: &Request,
    groups: &[Vec<Edit>],
    most_watches: usize,
    back: Option<(&'static str, &'static str)>,
) -> Vec<String> {
    let stop = Stop(AtomicBool::new(false));
    let mut feed = Feed {
        fs: disk,
        groups: groups.to_vec().into(),
        watches: BTreeMap::new(),
        news: VecDeque::new(),
        moves: 0,
        most_watches,
        back,
        stop: &stop,
    };
    let mut told = Vec::new();
    let tell = &mut |happened: Happened<'_>| told.push(format!("{happened:?}"));
    follow(disk, request, ledger, &mut feed, TIMING, &stop, tell).unwrap();
    told
}

fn path() -> impl Strategy<Value = String> {
    const DIRS: [&str; 8] = ["/s", "/s/d", "/s/e", "/s/d/e", "/t", "/t/d", "/o", "/v"];
    const NAMES: [&str; 6] = ["a.x", "A.x", "b", "c.x", "a (d).x", "mine"];
    (select(&DIRS[..]), select(&NAMES[..])).prop_map(|(dir, name)| format!("{dir}/{name}"))
}

fn dir() -> impl Strategy<Value = String> {
    select(&["/s/d", "/s/e", "/s/d/e", "/t/d", "/t/d/f", "/o/d"][..]).prop_map(str::to_owned)
}

fn edit() -> impl Strategy<Value = Edit> {
    prop_oneof![
        8 => path().prop_map(Edit::Create),
        5 => path().prop_map(Edit::Remove),
        6 => (path(), path()).prop_map(|(from, to)| Edit::Rename(from, to)),
        3 => (dir(), dir()).prop_map(|(from, to)| Edit::Rename(from, to)),
        4 => (path(), path()).prop_map(|(from, to)| Edit::Link(from, to)),
        2 => dir().prop_map(Edit::MakeDir),
        1 => dir().prop_map(Edit::Remove),
        1 => Just(Edit::Lose),
    ]
}

fn groups() -> impl Strategy<Value = Vec<Vec<Edit>>> {
    proptest::collection::vec(proptest::collection::vec(edit(), 1..8), 1..12)
}

fn setup() -> impl Strategy<Value = (MemOptions, Options)> {
    let disk =
        (any::<bool>(), any::<bool>(), any::<bool>()).prop_map(|(reuse_ids, folded, lies)| MemOptions {
            names: NameRules {
                case: if folded {
                    CaseRule::Folded
                } else {
                    CaseRule::Sensitive
                },
                ..NameRules::POSIX
            },
            lies: if lies { DirIdLies::Yes } else { DirIdLies::No },
            reuse_ids,
            batch: 3,
            ..MemOptions::default()
        });
    let policy = (
        select(vec![
            Orphans::Keep,
            Orphans::Delete,
            Orphans::Move("/o/moved".into()),
        ]),
        select(vec![Superseded::AsOrphan, Superseded::Drop]),
        select(vec![Deleted::Restore, Deleted::Remember]),
    )
        .prop_map(|(orphans, superseded, deleted)| Options {
            orphans,
            superseded,
            deleted,
            threads: NonZeroUsize::new(1),
            ..Options::default()
        });
    (disk, policy)
}

fn config() -> ProptestConfig {
    let mut config = ProptestConfig::default();
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = 300;
        config.rng_seed = RngSeed::Fixed(20_261_121);
        config.failure_persistence = None;
    }
    config
}

proptest! {
    #![proptest_config(config())]

    /// Looking only at what the news are about comes to what a whole update after each burst comes to, name by name.
    #[test]
    fn what_is_followed_is_what_whole_updates_make((disk, options) in setup(), groups in groups()) {
        let request = request(&options, "/v");
        let (one, other) = (new_disk(&disk), new_disk(&disk));
        let (mut ledger, mut whole) = (Ledger::in_memory().unwrap(), Ledger::in_memory().unwrap());
        followed(&one, &mut ledger, &request, &groups, usize::MAX, None);
        let update = |ledger: &mut Ledger| {
            let plan = plan(&other, &request, ledger, &Silent).unwrap();
            apply(&other, plan, ledger, &Silent);
        };
        update(&mut whole);
        let stop = Stop(AtomicBool::new(false));
        let mut hand = Feed {
            fs: &other, groups: VecDeque::new(), watches: BTreeMap::new(), news: VecDeque::new(), moves: 0,
            most_watches: 0, back: None, stop: &stop,
        };
        for group in &groups {
            group.iter().for_each(|edit| hand.edit(edit));
            update(&mut whole);
        }
        prop_assert_eq!(one.all_names(), other.all_names());
        prop_assert_eq!(ledger.rows(), whole.rows());
        let rest = plan(&one, &request, &ledger, &Silent).unwrap();
        prop_assert_eq!(rest.steps().collect::<Vec<_>>(), []);
    }

    /// Where the system watches only some of the directories, what it tells of still leads to a view that is right as far
    /// as anything was heard.
    #[test]
    fn a_limit_of_watches_costs_time_and_nothing_else((disk, options) in setup(), groups in groups(), watches in 0..3usize) {
        let request = request(&options, "/v");
        let fs = new_disk(&disk);
        let mut ledger = Ledger::in_memory().unwrap();
        // at the end news are lost, so everything is compared
        let mut groups = groups;
        groups.push(vec![Edit::Lose]);
        let told = followed(&fs, &mut ledger, &request, &groups, watches, None);
        prop_assert!(told.iter().any(|line| line.contains("NotWatched")));
        let rest = plan(&fs, &request, &ledger, &Silent).unwrap();
        prop_assert_eq!(rest.steps().collect::<Vec<_>>(), []);
    }
}

#[test]
fn a_change_of_one_file_looks_at_that_file_and_walks_nothing() {
    let fs = new_disk(&MemOptions::default());
    for number in 0..500 {
        fs.create(format!("/s/{:02}/{number}", number / 25), 10).unwrap();
    }
    let mut ledger = Ledger::in_memory().unwrap();
    let options = Options {
        threads: NonZeroUsize::new(1),
        ..Options::default()
    };
    let request = request(&options, "/v");
    let stop = Stop(AtomicBool::new(false));
    let mut feed = Feed {
        fs: &fs,
        groups: VecDeque::from([
            vec![Edit::Create("/s/03/new".into())],
            vec![Edit::Create("/s/03/newer".into())],
        ]),
        watches: BTreeMap::new(),
        news: VecDeque::new(),
        moves: 0,
        most_watches: usize::MAX,
        back: None,
        stop: &stop,
    };
    let mut calls = Vec::new();
    let tell = &mut |happened: Happened<'_>| {
        if matches!(happened, Happened::Following { .. } | Happened::Done(_)) {
            calls.push(fs.stat_calls());
        }
    };
    follow(&fs, &request, &mut ledger, &mut feed, TIMING, &stop, tell).unwrap();
    let (before, first, second) = (
        calls[calls.len() - 3],
        calls[calls.len() - 2],
        calls[calls.len() - 1],
    );
    assert!(first - before < 20, "{} looks for one file", first - before);
    assert!(second - first < 20, "{} looks for one file", second - first);
}

#[test]
fn a_source_that_is_gone_takes_nothing_with_it_and_is_found_again() {
    let fs = new_disk(&MemOptions::default());
    fs.create("/s/a", 1).unwrap();
    fs.create("/t/b", 1).unwrap();
    // b has a name elsewhere: without its source it would be removed from the view
    fs.link_path("/t/b", "/o/b").unwrap();
    let mut ledger = Ledger::in_memory().unwrap();
    let request = request(&Options::default(), "/v");
    let groups = [
        // the directory above is not watched, so it is a change in another source that shows it
        vec![
            Edit::Rename("/t".into(), "/o/t".into()),
            Edit::Create("/s/c".into()),
        ],
        vec![Edit::Create("/s/d".into())],
        vec![Edit::Create("/t/e".into())],
    ];
    let told = followed(
        &fs,
        &mut ledger,
        &request,
        &groups,
        usize::MAX,
        Some(("/o/t", "/t")),
    );
    let count = |what: &str| told.iter().filter(|line| line.contains(what)).count();
    assert_eq!((count("CannotUpdate"), count("Remove")), (1, 0), "{told:?}");
    for name in ["a", "b", "c", "d", "e"] {
        assert!(
            fs.all_names().contains_key(&Path::new("/v").join(name)),
            "{name}: {told:?}"
        );
    }
}

/// The directory of a name that moved away is gone, another one has its path, and all of it is one burst.
#[test]
fn a_directory_that_took_the_path_of_another_is_heard_of() {
    for case in [CaseRule::Folded, CaseRule::Sensitive] {
        let fs = new_disk(&MemOptions {
            names: NameRules {
                case,
                ..NameRules::POSIX
            },
            ..MemOptions::default()
        });
        fs.create("/s/d/e/a", 1).unwrap();
        let groups = [
            vec![
                Edit::Rename("/s/d/e/a".into(), "/s/e/a".into()),
                Edit::Remove("/s/d".into()),
                Edit::Rename("/s/e".into(), "/s/d".into()),
            ],
            vec![Edit::Create("/s/d/b".into())],
        ];
        let mut ledger = Ledger::in_memory().unwrap();
        let request = request(&Options::default(), "/v");
        followed(&fs, &mut ledger, &request, &groups, usize::MAX, None);
        assert!(fs.all_names().contains_key(Path::new("/v/b")), "{case:?}");
    }
}

#[test]
fn thousands_of_bursts_leave_no_more_behind_than_one() {
    let fs = new_disk(&MemOptions::default());
    let mut ledger = Ledger::in_memory().unwrap();
    let request = request(&Options::default(), "/v");
    let mut groups = Vec::new();
    for number in 0..3000 {
        let (dir, file) = (
            format!("/s/d{}", number % 7),
            format!("/s/d{}/{number}", number % 7),
        );
        groups.push(vec![Edit::Create(file.clone())]);
        groups.push(vec![
            Edit::Rename(file.clone(), format!("/t/{number}")),
            Edit::Remove(dir),
        ]);
        groups.push(vec![
            Edit::Remove(format!("/t/{number}")),
            Edit::Remove(format!("/v/{number}")),
        ]);
    }
    let stop = Stop(AtomicBool::new(false));
    let mut feed = Feed {
        fs: &fs,
        groups: groups.into(),
        watches: BTreeMap::new(),
        news: VecDeque::new(),
        moves: 0,
        most_watches: 4,
        back: None,
        stop: &stop,
    };
    let mut limits = 0;
    let tell = &mut |happened: Happened<'_>| {
        limits += usize::from(matches!(happened, Happened::NotWatched { .. }));
    };
    follow(&fs, &request, &mut ledger, &mut feed, TIMING, &stop, tell).unwrap();
    assert_eq!(limits, 0, "watches of directories that are gone were given back");
    assert_eq!(feed.watches.len(), 3, "the sources and the view");
    assert_eq!(ledger.rows(), []);
}
