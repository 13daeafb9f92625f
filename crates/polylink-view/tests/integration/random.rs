//! Random trees, link graphs and edits; after each update everything that [`World`] checks.

use polylink_core::{CaseRule, DirIdLies, MemFs, MemOptions, NameRules};
use polylink_view::Appear;
use proptest::prelude::*;
use proptest::sample::select;

use crate::disk::{Disk, Folder};
use crate::judge::World;

#[derive(Clone, Debug)]
enum Edit {
    /// A new file, or one saved by rename.
    Create(String),
    Remove(String),
    Rename(String, String),
    Link(String, String),
    Symlink(String),
    MakeDir(String),
    Deny(String),
    Allow(String),
    Mount(String),
    LoseLedger,
    RemoveView,
    Appear(Appear),
    Sources(Vec<String>),
    /// An update that is killed after so many changes of files and of the ledger.
    Killed(Option<u64>, Option<u64>),
    Update,
}

const FILES: [&str; 7] = [
    "a.x",
    "A.x",
    "b",
    "c.x",
    "a",
    "long name.ext",
    "a name of thirty-one bytes.ext_",
];
const SOURCE_DIRS: [&str; 7] = ["/s", "/s/d", "/s/e", "/s/d/e", "/s/m", "/t", "/t/d"];
const BELOW: [&str; 4] = ["/s/d", "/s/e", "/s/d/e", "/t/d"];
const VIEW_NAMES: [&str; 9] = [
    "a.x",
    "A.x",
    "b",
    "c.x",
    "a (d).x",
    "a.x (superseded)",
    "a (superseded).x",
    "b (superseded)",
    "mine",
];

fn source_file() -> impl Strategy<Value = String> {
    (select(&SOURCE_DIRS[..]), select(&FILES[..])).prop_map(|(dir, name)| format!("{dir}/{name}"))
}

fn view_name(view: &'static str) -> impl Strategy<Value = String> {
    select(&VIEW_NAMES[..]).prop_map(move |name| format!("{view}/{name}"))
}

fn any_file(view: &'static str) -> impl Strategy<Value = String> {
    prop_oneof![
        6 => source_file(),
        1 => select(&FILES[..]).prop_map(|name| format!("/o/{name}")),
        3 => view_name(view),
    ]
}

fn directory(view: &'static str) -> impl Strategy<Value = String> {
    prop_oneof![6 => select(&BELOW[..]).prop_map(str::to_owned), 1 => Just(format!("{view}/folder"))]
}

fn edit(view: &'static str) -> impl Strategy<Value = Edit> {
    prop_oneof![
        8 => source_file().prop_map(Edit::Create),
        2 => any_file(view).prop_map(Edit::Create),
        6 => any_file(view).prop_map(Edit::Remove),
        6 => (any_file(view), any_file(view)).prop_map(|(from, to)| Edit::Rename(from, to)),
        2 => (directory(view), directory(view)).prop_map(|(from, to)| Edit::Rename(from, to)),
        1 => directory(view).prop_map(Edit::Remove),
        6 => (any_file(view), any_file(view)).prop_map(|(from, to)| Edit::Link(from, to)),
        1 => any_file(view).prop_map(Edit::Symlink),
        1 => directory(view).prop_map(Edit::MakeDir),
        1 => view_name(view).prop_map(Edit::MakeDir),
        1 => select(&BELOW[..]).prop_map(|dir| Edit::Deny(dir.into())),
        2 => select(&BELOW[..]).prop_map(|dir| Edit::Allow(dir.into())),
        1 => select(&["/s/m", "/s/d/m"][..]).prop_map(|dir| Edit::Mount(dir.into())),
        1 => Just(Edit::LoseLedger),
        1 => Just(Edit::RemoveView),
        1 => prop_oneof![Just(Appear::OncePerFile), Just(Appear::EveryName)].prop_map(Edit::Appear),
        1 => select(vec![vec!["/s"], vec!["/s", "/t"], vec!["/s", "/s/d"], vec!["/t", "/s"]])
            .prop_map(|dirs| Edit::Sources(dirs.into_iter().map(str::to_owned).collect())),
        2 => (proptest::option::of(0..12u64), proptest::option::of(0..4u64))
            .prop_map(|(files, commits)| Edit::Killed(files, commits)),
        8 => Just(Edit::Update),
    ]
}

fn do_edit<D: Disk>(world: &mut World<D>, edit: &Edit) {
    match edit {
        Edit::Create(path) => world.disk.create(path),
        Edit::Remove(path) => world.disk.remove(path),
        Edit::Rename(from, to) => {
            // what moves takes its denial with it, which the judge does not follow
            if !world.hides_below(from) {
                world.disk.rename(from, to);
            }
        }
        Edit::Link(existing, new) => world.disk.link(existing, new),
        Edit::Symlink(path) => world.disk.symlink(path),
        Edit::MakeDir(path) => world.disk.mkdir(path),
        Edit::Deny(dir) => {
            if world.disk.mem().is_some() && world.is_dir(dir) {
                world.deny(dir, true);
            }
        }
        Edit::Allow(dir) => world.deny(dir, false),
        Edit::Mount(dir) => {
            if world.disk.mem().is_some() && !world.is_dir(dir) && world.is_dir_or_free(dir) {
                world.mount(dir);
            }
        }
        Edit::LoseLedger => world.lose_ledger(),
        Edit::RemoveView => {
            let view = world.view.clone();
            world.disk.remove(&view);
        }
        Edit::Appear(appear) => world.options.appear = *appear,
        Edit::Sources(sources) => world.sources.clone_from(sources),
        Edit::Killed(files, commits) => {
            if world.disk.mem().is_some() {
                world.killed_update(*files, *commits);
            }
        }
        Edit::Update => {
            world.update();
        }
    }
    // a removal may take a denied directory or a mount with it
    world.forget_hidden();
}

fn play<D: Disk>(world: &mut World<D>, edits: &[Edit]) {
    for edit in edits {
        do_edit(world, edit);
    }
    world.update();
}

fn memory() -> impl Strategy<Value = (MemOptions, &'static str)> {
    (
        any::<bool>(),
        any::<bool>(),
        any::<bool>(),
        select(&[3, 4, 65_000][..]),
        select(&[31, 36, 255][..]),
        select(&["/v", "/s/v"][..]),
    )
        .prop_map(|(reuse_ids, folded, lies, link_limit, max_len, view)| {
            let options = MemOptions {
                link_limit,
                names: NameRules {
                    case: if folded {
                        CaseRule::Folded
                    } else {
                        CaseRule::Sensitive
                    },
                    max_len,
                    ..NameRules::POSIX
                },
                lies: if lies { DirIdLies::Yes } else { DirIdLies::No },
                reuse_ids,
                batch: 3,
            };
            (options, view)
        })
}

fn cases(usual: u32) -> ProptestConfig {
    let mut config = ProptestConfig::default();
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = usual;
    }
    config.max_shrink_iters = 20_000;
    config
}

fn with_edits(
    setup: impl Strategy<Value = (MemOptions, &'static str)>,
) -> impl Strategy<Value = (MemOptions, &'static str, Vec<Edit>)> {
    setup.prop_flat_map(|(options, view)| {
        let edits = proptest::collection::vec(edit(view), 1..40);
        (Just(options), Just(view), edits)
    })
}

proptest! {
    #![proptest_config(cases(250))]

    #[test]
    fn the_view_is_right_after_every_update((options, view, edits) in with_edits(memory())) {
        let mut world = World::new(MemFs::with(options));
        world.view = view.into();
        play(&mut world, &edits);
    }
}

proptest! {
    #![proptest_config(cases(40))]

    #[test]
    fn the_view_is_right_after_every_update_of_a_real_folder(edits in proptest::collection::vec(edit("/v"), 1..40)) {
        let mut world = World::new(Folder::new());
        play(&mut world, &edits);
    }

    #[test]
    fn a_first_build_does_not_depend_on_the_threads(files in proptest::collection::vec(source_file(), 1..60), folded: bool) {
        let build = |threads: usize| {
            let case = if folded { CaseRule::Folded } else { CaseRule::Sensitive };
            let names = NameRules { case, ..NameRules::POSIX };
            let mut world = World::new(MemFs::with(MemOptions { names, batch: 2, ..MemOptions::default() }));
            world.sources.push("/t".into());
            world.options.threads = std::num::NonZeroUsize::new(threads);
            for (index, file) in files.iter().enumerate() {
                Disk::mkdir(&world.disk, &file[..file.rfind('/').unwrap()]);
                if index % 3 == 2 {
                    world.disk.link(&files[index - 1], file);
                }
                if !world.disk.names().contains_key(std::path::Path::new(file)) {
                    Disk::create(&world.disk, file);
                }
            }
            world.update();
            world.in_view()
        };
        let one = build(1);
        for threads in [2, 4, 8] {
            prop_assert_eq!(&build(threads), &one);
        }
    }
}
