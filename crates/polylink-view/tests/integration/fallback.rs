//! Files that cannot be linked: on another file system, or with as many names as they can have.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::path::{Component, Path, PathBuf};

use polylink_core::{
    At, FileFs as _, LinkFs as _, MemFs, MemOptions, Name, Silent, is_part_name, is_temporary_name,
};
use polylink_view::{
    Appear, Error, Fallback, Ledger, Options, Orphans, Outcome, Plan, Request, Step, apply_with, plan_with,
};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::RngSeed;

/// `/s` and the view `/v` are on one volume, `/m` is another one. No file can have more than three names.
struct World {
    fs: MemFs,
    ledger: Ledger,
    options: Options,
    content: u64,
}

impl World {
    fn new(fallback: Fallback, reflinks: bool) -> Self {
        let fs = MemFs::with(MemOptions {
            link_limit: 3,
            reflinks,
            batch: 3,
            ..MemOptions::default()
        });
        for dir in ["/s", "/s/d", "/o"] {
            fs.mkdir(dir).unwrap();
        }
        fs.mount("/m").unwrap();
        fs.mkdir("/m/d").unwrap();
        Self {
            fs,
            ledger: Ledger::in_memory().unwrap(),
            options: Options {
                fallback: Some(fallback),
                threads: NonZeroUsize::new(1),
                ..Options::default()
            },
            content: 1 << 40,
        }
    }

    fn request(&self) -> Request {
        Request {
            sources: vec!["/s".into(), "/m".into()],
            view: "/v".into(),
            options: self.options.clone(),
        }
    }

    fn plan(&self) -> Result<Plan, Error> {
        plan_with(&self.fs, &self.request(), &self.ledger, &Silent)
    }

    fn update(&mut self) -> Outcome {
        let plan = self.plan().unwrap();
        apply_with(&self.fs, plan, &mut self.ledger, &Silent)
    }

    /// What a name in the view holds: a link's or a copy's content, or that of the file that a symbolic link leads to.
    fn held(&self, names: &BTreeMap<PathBuf, u64>, path: &Path) -> Option<u64> {
        let view = self.fs.open_dir("/v".as_ref()).unwrap();
        let at = At::new(&view, Name::from_os(path.file_name().unwrap()));
        match self.fs.read_symlink(at) {
            Ok(target) => {
                let mut to = PathBuf::from("/v");
                for part in Path::new(std::str::from_utf8(&target).unwrap()).components() {
                    match part {
                        Component::ParentDir => drop(to.pop()),
                        part => to.push(part),
                    }
                }
                names.get(&to).copied()
            }
            Err(_) => names.get(path).copied(),
        }
    }

    /// Judges what an update without failures must come to.
    fn judge(&self, outcome: &Outcome) {
        assert!(outcome.failures.is_empty(), "{outcome:?}");
        let names: BTreeMap<PathBuf, u64> = self
            .fs
            .all_names()
            .into_iter()
            .map(|(path, (_, content))| (path, content))
            .collect();
        let in_view: Vec<&PathBuf> = names.keys().filter(|path| path.starts_with("/v")).collect();
        let held: Vec<u64> = in_view
            .iter()
            .filter_map(|path| self.held(&names, path))
            .collect();
        let once: BTreeSet<u64> = held.iter().copied().collect();
        for (path, content) in names
            .iter()
            .filter(|(path, _)| path.starts_with("/s") || path.starts_with("/m"))
        {
            assert!(
                once.contains(content),
                "{} is not in the view: {names:?}",
                path.display()
            );
        }
        for path in in_view {
            let name = Name::from_os(path.file_name().unwrap());
            assert!(
                !is_part_name(name) && !is_temporary_name(name),
                "{} stayed",
                path.display()
            );
        }
        let rest = self.plan().unwrap();
        assert_eq!(rest.steps().collect::<Vec<_>>(), [], "{names:?}");
        assert_eq!(rest.forecast().fallbacks, outcome.fallbacks);
    }
}

#[derive(Clone, Debug)]
enum Edit {
    Create(String),
    Rewrite(String),
    Remove(String),
    Rename(String, String),
    Link(String, String),
    Mine(String),
    Kind(Fallback),
    Killed(u64, Option<u64>),
    Update,
}

const S: [&str; 6] = ["/s/a", "/s/b", "/s/d/a", "/s/d/b", "/o/a", "/o/b"];
const M: [&str; 4] = ["/m/a", "/m/b", "/m/d/a", "/m/d/b"];
const V: [&str; 4] = ["/v/a", "/v/b", "/v/a (d)", "/v/b (d)"];
const KINDS: [Fallback; 2] = [Fallback::Symlink, Fallback::Copy];

fn path(of: &'static [&'static str]) -> impl Strategy<Value = String> {
    select(of).prop_map(str::to_owned)
}

fn source() -> impl Strategy<Value = String> {
    prop_oneof![path(&S), path(&M)]
}

fn edit() -> impl Strategy<Value = Edit> {
    prop_oneof![
        6 => source().prop_map(Edit::Create),
        4 => source().prop_map(Edit::Rewrite),
        4 => source().prop_map(Edit::Remove),
        3 => (path(&S), path(&S)).prop_map(|(from, to)| Edit::Rename(from, to)),
        3 => (path(&M), path(&M)).prop_map(|(from, to)| Edit::Rename(from, to)),
        2 => (path(&V), path(&V)).prop_map(|(from, to)| Edit::Rename(from, to)),
        6 => (path(&S), path(&S)).prop_map(|(from, to)| Edit::Link(from, to)),
        2 => (path(&M), path(&M)).prop_map(|(from, to)| Edit::Link(from, to)),
        2 => path(&V).prop_map(Edit::Remove),
        2 => path(&V).prop_map(Edit::Mine),
        1 => path(&V).prop_map(Edit::Rewrite),
        1 => select(&KINDS[..]).prop_map(Edit::Kind),
        3 => (0..12u64, proptest::option::of(0..5u64)).prop_map(|(files, commits)| Edit::Killed(files, commits)),
        6 => Just(Edit::Update),
    ]
}

fn config() -> ProptestConfig {
    let mut config = ProptestConfig::default();
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = 300;
        config.rng_seed = RngSeed::Fixed(20_261_121);
        config.failure_persistence = None;
    }
    config.max_shrink_iters = 20_000;
    config
}

fn play(world: &mut World, edits: &[Edit]) {
    for edit in edits {
        world.content += 1 << 20;
        let content = world.content;
        match edit {
            Edit::Create(path) => drop(world.fs.create(path, 10).ok()),
            Edit::Rewrite(path) => drop(world.fs.rewrite(path, 11, content).ok()),
            Edit::Remove(path) => drop(world.fs.remove(path).ok()),
            Edit::Rename(from, to) => drop(world.fs.rename_path(from, to).ok()),
            Edit::Link(from, to) => drop(world.fs.link_path(from, to).ok()),
            Edit::Mine(path) => drop(world.fs.create_with(path, 12, content).ok()),
            Edit::Kind(kind) => world.options.fallback = Some(*kind),
            Edit::Killed(files, commits) => {
                let Ok(plan) = world.plan() else { continue };
                world.fs.stop_after(Some(*files));
                world.ledger.stop_after(*commits);
                apply_with(&world.fs, plan, &mut world.ledger, &Silent);
                world.fs.stop_after(None);
                world.ledger.stop_after(None);
            }
            Edit::Update => {
                let plan = world.plan().unwrap();
                let outcome = apply_with(&world.fs, plan, &mut world.ledger, &Silent);
                world.judge(&outcome);
            }
        }
    }
    let outcome = world.update();
    world.judge(&outcome);
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn every_file_is_in_the_view_as_a_link_or_a_fallback(
        edits in proptest::collection::vec(edit(), 1..40), kind in select(&KINDS[..]), reflinks: bool,
    ) {
        play(&mut World::new(kind, reflinks), &edits);
    }
}

fn steps(world: &World) -> Vec<Step> {
    world.plan().unwrap().steps().collect()
}

#[test]
fn without_the_option_another_file_system_is_refused_as_ever() {
    let mut world = World::new(Fallback::Copy, false);
    world.options.fallback = None;
    assert!(matches!(world.plan(), Err(Error::OtherVolume { .. })));
}

#[test]
fn a_copy_follows_its_source_until_somebody_writes_to_it() {
    let mut world = World::new(Fallback::Copy, false);
    world.fs.create("/m/a", 10).unwrap();
    let outcome = world.update();
    assert_eq!((outcome.fallbacks.copy, outcome.linked), (1, 0));
    world.fs.rewrite("/m/a", 20, 7).unwrap();
    let outcome = world.update();
    assert_eq!((outcome.refreshed, outcome.fallbacks.copy), (1, 1));
    assert_eq!(world.fs.all_names()[Path::new("/v/a")].1, 7);
    world.fs.rewrite("/v/a", 30, 8).unwrap();
    world.fs.rewrite("/m/a", 40, 9).unwrap();
    let outcome = world.update();
    assert_eq!((outcome.foreign, outcome.fallbacks.copy), (1, 1), "{outcome:?}");
    assert_eq!(
        world.fs.all_names()[Path::new("/v/a")].1,
        8,
        "it is somebody else's now"
    );
    world.judge(&outcome);
}

#[test]
fn at_the_link_limit_there_is_a_copy_and_a_link_again_as_soon_as_there_can_be_one() {
    let mut world = World::new(Fallback::Copy, true);
    world.fs.create("/s/a", 10).unwrap();
    world.fs.link_path("/s/a", "/o/a").unwrap();
    world.fs.link_path("/s/a", "/o/b").unwrap();
    let outcome = world.update();
    assert_eq!((outcome.fallbacks.reflink, outcome.linked), (1, 0), "{outcome:?}");
    world.judge(&outcome);
    world.fs.remove("/o/b").unwrap();
    assert!(matches!(&steps(&world)[..], [Step::BecomeLink { .. }]));
    let outcome = world.update();
    assert_eq!(outcome.fallbacks.total(), 0);
    let names = world.fs.all_names();
    assert_eq!(names[Path::new("/v/a")].0, names[Path::new("/s/a")].0);
}

#[test]
fn a_symbolic_link_follows_a_move_and_goes_with_its_source_and_a_copy_stays_as_an_orphan() {
    for kind in KINDS {
        let mut world = World::new(kind, false);
        world.fs.create("/m/a", 10).unwrap();
        world.update();
        world.fs.rename_path("/m/a", "/m/d/moved").unwrap();
        let outcome = world.update();
        world.judge(&outcome);
        assert_eq!(
            outcome.refreshed,
            u64::from(kind == Fallback::Symlink),
            "{outcome:?}"
        );
        assert!(
            world.fs.all_names().contains_key(Path::new("/v/a")),
            "the view name stays"
        );
        world.fs.remove("/m/d/moved").unwrap();
        let outcome = world.update();
        assert_eq!(
            outcome.orphans.len(),
            usize::from(kind == Fallback::Copy),
            "{outcome:?}"
        );
        assert_eq!(outcome.removed, u64::from(kind == Fallback::Symlink));
        // a new file of that path does not cost the last data of the old one
        world.fs.create("/m/d/moved", 30).unwrap();
        let outcome = world.update();
        world.judge(&outcome);
        assert_eq!(
            outcome.orphans.len(),
            usize::from(kind == Fallback::Copy),
            "{outcome:?}"
        );
        world.options.orphans = Orphans::Delete;
        let outcome = world.update();
        assert_eq!(outcome.orphans_deleted, u64::from(kind == Fallback::Copy));
    }
}

#[test]
fn a_copy_that_a_stopped_run_was_about_to_replace_by_a_symbolic_link_is_a_copy_still() {
    for source_stays in [false, true] {
        let mut world = World::new(Fallback::Copy, false);
        world.fs.create("/m/a", 10).unwrap();
        world.update();
        let content = world.fs.all_names()[Path::new("/v/a")].1;
        world.options.fallback = Some(Fallback::Symlink);
        let plan = world.plan().unwrap();
        world.fs.stop_after(Some(0));
        apply_with(&world.fs, plan, &mut world.ledger, &Silent);
        world.fs.stop_after(None);
        if !source_stays {
            world.fs.remove("/m/a").unwrap();
        }
        let outcome = world.update();
        world.judge(&outcome);
        if source_stays {
            assert_eq!((outcome.refreshed, outcome.fallbacks.symlink), (1, 1));
        } else {
            assert_eq!((outcome.removed, outcome.orphans.len()), (0, 1));
            assert_eq!(world.fs.all_names()[Path::new("/v/a")].1, content);
        }
    }
}

#[test]
fn many_copies_are_written_down_together() {
    let mut world = World::new(Fallback::Copy, false);
    world.options.threads = None;
    for at in 0..600 {
        world.fs.create(format!("/m/d/f{at}"), 10).unwrap();
    }
    // each commit of the ledger waits for the disk
    world.ledger.stop_after(Some(20));
    let outcome = world.update();
    assert_eq!(outcome.fallbacks_made, 600, "{outcome:?}");
    world.ledger.stop_after(None);
    world.judge(&outcome);
}

#[test]
fn a_reflink_that_cannot_be_is_a_failure_and_no_copy() {
    let mut world = World::new(Fallback::Reflink, false);
    world.fs.create("/m/a", 10).unwrap();
    let outcome = world.update();
    assert_eq!((outcome.failures.len(), outcome.fallbacks.total()), (1, 0));
    assert!(!world.fs.all_names().contains_key(Path::new("/v/a")));
}

#[test]
fn each_name_of_a_file_gets_its_own_where_that_is_wanted() {
    let mut world = World::new(Fallback::Copy, false);
    world.options.appear = Appear::EveryName;
    world.fs.create("/m/a", 10).unwrap();
    world.fs.link_path("/m/a", "/m/d/b").unwrap();
    let outcome = world.update();
    assert_eq!(outcome.fallbacks.copy, 2);
    assert_eq!(steps(&world), []);
    world.options.appear = Appear::OncePerFile;
    let outcome = world.update();
    assert_eq!((outcome.removed, outcome.fallbacks.copy), (1, 1), "{outcome:?}");
}
