//! Random calls on the volume that decides nothing: whatever they are, no file loses its last name unasked, no name is
//! there twice, and the counts are those of the names.

use proptest::prelude::*;
use proptest::sample::select;

use polylink_nt::decide::{Access, OpenOptions, Share};
use polylink_nt::info::{DispositionFlags, LinkFlags};

use crate::random::cases;
use crate::world::{Flags, Handle, R0, R1, World, ex};

const PATHS: [&str; 7] = [r"\a", r"\A", r"\b", r"\d", r"\d\a", r"\d\b", r"\e\a"];

#[derive(Clone, Debug)]
enum Call {
    Make(&'static str),
    Open(&'static str, Access, Share, OpenOptions),
    Link(usize, &'static str, Flags),
    Rename(usize, &'static str, Flags),
    Dispose(usize, DispositionFlags),
    CreateHardLink(&'static str, &'static str),
    DeleteFile(&'static str),
    Close(usize),
}

fn flags() -> impl Strategy<Value = Flags> {
    let replace = LinkFlags::REPLACE_IF_EXISTS;
    select(vec![
        R0,
        R1,
        ex(replace),
        ex(replace | LinkFlags::POSIX_SEMANTICS),
    ])
}

fn call() -> impl Strategy<Value = Call> {
    let path = || select(PATHS.to_vec());
    let handle = 0_usize..8;
    let access = select(vec![
        Access::READ_DATA,
        Access::DELETE,
        Access::ALL,
        Access::READ_ATTRIBUTES,
    ]);
    let share = select(vec![Share::all(), Share::all(), Share::empty(), Share::DELETE]);
    let options = select(vec![
        OpenOptions::empty(),
        OpenOptions::empty(),
        OpenOptions::DELETE_ON_CLOSE,
    ]);
    let disposition = select(vec![
        DispositionFlags::empty(),
        DispositionFlags::DELETE,
        DispositionFlags::DELETE | DispositionFlags::POSIX_SEMANTICS,
        DispositionFlags::ON_CLOSE,
    ]);
    prop_oneof![
        1 => path().prop_map(Call::Make),
        4 => (path(), access, share, options)
            .prop_map(|(path, access, share, options)| Call::Open(path, access, share, options)),
        4 => (handle.clone(), path(), flags()).prop_map(|(handle, path, flags)| Call::Link(handle, path, flags)),
        3 => (handle.clone(), path(), flags()).prop_map(|(handle, path, flags)| Call::Rename(handle, path, flags)),
        3 => (handle.clone(), disposition).prop_map(|(handle, flags)| Call::Dispose(handle, flags)),
        1 => (path(), path()).prop_map(|(new, existing)| Call::CreateHardLink(new, existing)),
        1 => path().prop_map(Call::DeleteFile),
        3 => handle.prop_map(Call::Close),
    ]
}

fn run(world: &mut World, handles: &mut Vec<Handle>, call: &Call) {
    let nth = |handles: &[Handle], number: usize| match handles.len() {
        0 => None,
        len => Some(handles[number % len]),
    };
    match *call {
        Call::Make(path) => world.make_if_free(path),
        Call::Open(path, access, share, options) => {
            handles.extend(world.open(path, access, share, options));
        }
        Call::Link(number, path, flags) => {
            if let Some(handle) = nth(handles, number) {
                let directory = world.standard_link(handle).directory;
                let outcome = world.link(handle, path, flags);
                assert!(!directory || outcome.is_err());
            }
        }
        Call::Rename(number, path, flags) => {
            if let Some(handle) = nth(handles, number)
                && world.rename(handle, path, flags).is_ok()
            {
                assert_eq!(world.name_of(handle), path);
            }
        }
        Call::Dispose(number, flags) => {
            if let Some(handle) = nth(handles, number) {
                let deletes = flags.contains(DispositionFlags::DELETE);
                if world.dispose_ex(handle, flags).is_ok() && deletes {
                    assert!(world.standard_link(handle).delete_pending);
                }
            }
        }
        Call::CreateHardLink(new, existing) => {
            if world.create_hard_link(Some(new), Some(existing)).is_ok() {
                assert!(world.same_file(new, existing));
            }
        }
        Call::DeleteFile(path) => {
            if world.delete_file(Some(path)).is_ok() {
                assert!(!world.finds(path), "POSIX semantics: gone at once");
            }
        }
        Call::Close(number) => {
            if let Some(handle) = nth(handles, number) {
                handles.retain(|kept| *kept != handle);
                world.close(handle);
            }
        }
    }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn whatever_is_called_names_and_counts_stay_right(calls in prop::collection::vec(call(), 1..40)) {
        let mut world = World::new();
        world.dir(r"\d");
        world.dir(r"\e");
        world.file(r"\a");
        let mut handles = Vec::new();
        for call in &calls {
            run(&mut world, &mut handles, call);
            world.check();
            for handle in &handles {
                let info = world.standard_link(*handle);
                prop_assert_eq!(info.total as usize, world.links_of(*handle).len());
                prop_assert_eq!(info.accessible, world.number_of_links(*handle));
            }
        }
        for handle in handles {
            world.close(handle);
            world.check();
        }
        // with every handle closed nothing is pending or parked
        prop_assert_eq!(world.deleted_names(), Vec::<String>::new());
    }
}
