//! Trees against a map, and against power cuts.

mod store;

use std::collections::{BTreeMap, BTreeSet};

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use store::{Failure, Fill, Store, check, entries, entry, key, named, order, reference};

/// What a tree has to hold: a name, and its entry.
type Model = BTreeMap<Vec<u8>, Vec<u8>>;

fn name(key: &[u8]) -> Vec<u8> {
    key[store::BEFORE_NAME..].to_vec()
}

/// Numbers that are the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % limit
    }

    fn shuffle<T>(&mut self, values: &mut [T]) {
        for at in (1..values.len()).rev() {
            let other = self.below(at as u64 + 1) as usize;
            values.swap(at, other);
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum Op {
    Insert(u32, u64),
    Remove(u32),
    Update(u32, u64),
    Commit,
    RootRoom(usize),
    FailAllocate(usize),
    FailWrite(usize),
}

fn ops(names: u32) -> impl Strategy<Value = Vec<Op>> {
    let op = prop_oneof![
        10 => (0..names, any::<u64>()).prop_map(|(name, value)| Op::Insert(name, value)),
        9 => (0..names).prop_map(Op::Remove),
        2 => (0..names, any::<u64>()).prop_map(|(name, value)| Op::Update(name, value)),
        2 => Just(Op::Commit),
        1 => (64_usize..900).prop_map(Op::RootRoom),
        1 => (0_usize..4).prop_map(Op::FailAllocate),
        1 => (0_usize..6).prop_map(Op::FailWrite),
    ];
    vec(op, 1..300)
}

/// Block size, and the longest name, so that some trees have many entries a node and some only one.
fn shapes() -> impl Strategy<Value = (usize, usize)> {
    prop_oneof![
        Just((512, 20)),
        Just((512, 60)),
        Just((512, 175)),
        Just((1024, 60)),
        Just((1024, 255)),
        Just((4096, 255)),
    ]
}

fn longest(most: usize) -> usize {
    entry(&vec![0; store::BEFORE_NAME + 2 * most], 0).len() + node::CHILD
}

/// Makes a change to the tree and to the model, which must agree on what becomes of it.
fn make(store: &mut Store, model: &mut Model, op: Op, most: usize) {
    let before = store.failure.map(|_| store.now.clone());
    let result = match op {
        Op::Insert(number, value) => {
            let key = key(number, most);
            let entry = entry(&key, value);
            insert(store, &entry, &order).map(|done| {
                assert_eq!(done, !model.contains_key(&name(&key)));
                model.entry(name(&key)).or_insert(entry);
            })
        }
        Op::Remove(number) => {
            let key = key(number, most);
            remove(store, &key, &order).map(|gone| assert_eq!(gone, model.remove(&name(&key))))
        }
        Op::Update(number, value) => {
            let key = key(number, most);
            let change = &mut |entry: &mut [u8]| {
                entry[..8].copy_from_slice(&value.to_le_bytes());
                // lengths and flags are not the caller's
                entry[8..16].fill(0xff);
            };
            update(store, &key, &order, change).map(|done| {
                let held = model.get_mut(&name(&key));
                assert_eq!(done, held.is_some());
                if let Some(held) = held {
                    held[..8].copy_from_slice(&value.to_le_bytes());
                }
            })
        }
        Op::Commit => {
            store.commit();
            Ok(())
        }
        Op::RootRoom(room) => {
            let was = std::mem::replace(&mut store.root_room, room);
            if store.now[&Place::Root].len() > store.room(Place::Root).unwrap() {
                store.root_room = was;
            }
            Ok(())
        }
        Op::FailAllocate(after) => {
            store.failure = Some(Failure::Allocate(after));
            Ok(())
        }
        Op::FailWrite(after) => {
            store.failure = Some(Failure::Write(after));
            Ok(())
        }
    };
    if result.is_err() {
        assert!(store.failure.is_none());
        assert_eq!(Some(&store.now), before.as_ref(), "not as it was");
    }
}

/// Looks at what may be read after a power cut: every mixture of nodes, or many where there are too many.
fn cut(store: &Store, before: &Model, after: &Model, touched: &BTreeSet<Vec<u8>>, random: &mut Random) {
    let changed = store.in_place();
    let count = 1_u64.checked_shl(changed.len() as u32).unwrap_or(0);
    let all = (1..=16).contains(&count);
    for number in 0..if all { count } else { 16 } {
        let chosen = changed.iter().enumerate();
        let written = chosen.filter(|(at, _)| {
            if all {
                number >> at & 1 == 1
            } else {
                random.below(2) == 1
            }
        });
        let written = written.map(|(_, place)| *place).collect();
        let met = store.after_cut(&written);
        let mut left = before
            .iter()
            .filter(|(name, _)| !touched.contains(*name))
            .peekable();
        let mut last: Option<Vec<u8>> = None;
        for entry in met {
            let name = name(node::key_of(&entry).unwrap());
            assert!(last.is_none_or(|last| last < name), "not in order, or twice");
            if touched.contains(&name) {
                assert!(before.contains_key(&name) || after.contains_key(&name) || touched.len() > 1);
            } else {
                assert_eq!(
                    left.next(),
                    Some((&name, &entry)),
                    "something else than there was"
                );
            }
            last = Some(name);
        }
        assert_eq!(left.next(), None, "something is lost");
    }
}

fn is_like(store: &mut Store, model: &Model) {
    assert_eq!(entries(store), model.values().cloned().collect::<Vec<_>>());
    assert_eq!(is_empty(store).unwrap(), model.is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn a_tree_holds_what_a_map_does(
        (block, most) in shapes(),
        root_room in 64_usize..900,
        (names, ops) in (20_u32..400).prop_flat_map(|names| (Just(names), ops(names))),
    ) {
        let mut store = Store::new(block, root_room);
        let mut model = Model::new();
        for op in ops {
            make(&mut store, &mut model, op, most);
            // where a block could not be had, a node may be left short
            check(&mut store, usize::MAX);
        }
        is_like(&mut store, &model);
        for number in 0..names {
            let key = key(number, most);
            let found = find(&mut store, &key, &order).unwrap();
            prop_assert_eq!(found.as_ref(), model.get(&name(&key)));
        }
    }

    #[test]
    fn no_block_is_left_too_short(
        (block, most) in shapes(),
        root_room in 64_usize..900,
        ops in ops(300),
    ) {
        let mut store = Store::new(block, root_room);
        let mut model = Model::new();
        for number in 0..200 {
            make(&mut store, &mut model, Op::Insert(number, 1), most);
        }
        for op in ops {
            if !matches!(op, Op::FailAllocate(_) | Op::FailWrite(_)) {
                make(&mut store, &mut model, op, most);
                check(&mut store, longest(most));
            }
        }
        is_like(&mut store, &model);
    }

    #[test]
    fn after_a_power_cut_every_key_is_there(
        (block, most) in shapes(),
        root_room in 64_usize..900,
        batches in vec(ops(150), 1..4),
        filled in 0_u32..150,
        seed in 1_u64..,
    ) {
        let mut store = Store::new(block, root_room);
        let mut model = Model::new();
        let mut random = Random(seed);
        for number in 0..filled {
            make(&mut store, &mut model, Op::Insert(number, 1), most);
        }
        for batch in batches {
            store.commit();
            let mut before = model.clone();
            let mut touched = BTreeSet::new();
            for op in batch {
                if let Op::Insert(number, _) | Op::Remove(number) | Op::Update(number, _) = op {
                    touched.insert(name(&key(number, most)));
                }
                make(&mut store, &mut model, op, most);
                if matches!(op, Op::Commit) {
                    before.clone_from(&model);
                    touched.clear();
                }
                if random.below(6) == 0 {
                    cut(&store, &before, &model, &touched, &mut random);
                }
            }
            cut(&store, &before, &model, &touched, &mut random);
        }
    }

    #[test]
    fn of_a_single_change_a_power_cut_shows_all_or_nothing(
        (block, most) in shapes(),
        root_room in 64_usize..900,
        ops in ops(150),
        seed in 1_u64..,
    ) {
        let mut store = Store::new(block, root_room);
        let mut model = Model::new();
        let mut random = Random(seed);
        for op in ops {
            store.commit();
            let before = model.clone();
            make(&mut store, &mut model, op, most);
            let states: [Vec<Vec<u8>>; 2] = [&before, &model].map(|model| model.values().cloned().collect());
            prop_assert!(store.in_place().len() <= 1, "one node is changed where it lies");
            let touched = match op {
                Op::Insert(number, _) | Op::Remove(number) | Op::Update(number, _) => {
                    BTreeSet::from([name(&key(number, most))])
                }
                _ => BTreeSet::new(),
            };
            cut(&store, &before, &model, &touched, &mut random);
            for written in [BTreeSet::new(), store.in_place().into_iter().collect()] {
                prop_assert!(states.contains(&store.after_cut(&written)));
            }
        }
    }

    #[test]
    fn damaged_nodes_are_errors(
        (block, most) in shapes(),
        damage in vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), any::<u8>()), 1..6),
        swap in any::<Option<(prop::sample::Index, prop::sample::Index)>>(),
        ops in ops(200),
    ) {
        let mut store = Store::new(block, 300);
        let mut model = Model::new();
        for number in 0..150 {
            make(&mut store, &mut model, Op::Insert(number, 1), most);
        }
        store.commit();
        store.is_hostile = true;
        let places: Vec<Place> = store.now.keys().copied().collect();
        for (place, at, byte) in damage {
            let node = store.now.get_mut(place.get(&places)).unwrap();
            *at.get_mut(node) = byte;
        }
        if let Some((one, other)) = swap {
            // a node in another's place: the tree may lead in a circle
            let bytes = store.now[one.get(&places)].clone();
            store.now.insert(*other.get(&places), bytes);
        }
        let mut errors = 0;
        for op in ops {
            let failed = match op {
                Op::Insert(number, value) => insert(&mut store, &entry(&key(number, most), value), &order).is_err(),
                Op::Remove(number) => remove(&mut store, &key(number, most), &order).is_err(),
                Op::Update(number, _) => update(&mut store, &key(number, most), &order, &mut |_| ()).is_err(),
                _ => find(&mut store, &key(7, most), &order).is_err(),
            };
            errors += usize::from(failed);
        }
        let mut met = 0_usize;
        // ends, whatever the bytes are
        if walk(&mut store, &mut |_| { met += 1; Ok(()) }).is_ok() {
            is_empty(&mut store).unwrap();
        }
        prop_assert!(errors < 400);
    }
}

fn fill(block: usize, most: usize, numbers: &[u32]) -> (Store, Fill) {
    let mut store = Store::new(block, 300);
    for &number in numbers {
        assert!(insert(&mut store, &entry(&key(number, most), 1), &order).unwrap());
    }
    let fill = check(&mut store, longest(most));
    (store, fill)
}

/// So many names, nine in ten of them removed again in no order.
fn thinned(block: usize, most: usize, names: u32) -> (Fill, Fill) {
    let mut random = Random(7);
    let mut numbers: Vec<u32> = (0..names).collect();
    random.shuffle(&mut numbers);
    let (mut store, full) = fill(block, most, &numbers);
    random.shuffle(&mut numbers);
    let (removed, left) = numbers.split_at(numbers.len() / 10 * 9);
    for &number in removed {
        assert!(remove(&mut store, &key(number, most), &order).unwrap().is_some());
    }
    let thin = check(&mut store, longest(most));
    assert_eq!(entries(&mut store).len(), left.len());
    for &number in left {
        assert!(remove(&mut store, &key(number, most), &order).unwrap().is_some());
    }
    assert_eq!(store.now, BTreeMap::from([(Place::Root, node::bare(None))]));
    (full, thin)
}

fn is_half_full(fill: Fill, block: usize) {
    let room = fill.blocks * store::room_of(block);
    assert!(fill.bytes * 2 >= room, "{fill:?}: {} %", fill.bytes * 100 / room);
}

#[test]
fn blocks_stay_half_full_when_most_names_go() {
    let shapes = [
        (4096, 12, 5_000),
        (4096, 60, 20_000),
        (4096, 255, 5_000),
        (1024, 60, 5_000),
        (512, 12, 5_000),
        (512, 40, 20_000),
    ];
    for (block, most, names) in shapes {
        let (full, thin) = thinned(block, most, names);
        is_half_full(full, block);
        is_half_full(thin, block);
    }
}

#[test]
fn long_names_in_short_blocks_leave_none_empty_behind() {
    // a block has room for one or two of them
    let (full, thin) = thinned(512, 175, 3_000);
    assert!(full.depth > thin.depth);
    assert!(thin.blocks * 5 < full.blocks, "{thin:?} of {full:?}");
}

#[test]
fn names_in_ascending_order_fill_their_blocks() {
    let mut store = Store::new(4096, 300);
    for number in 0..8_000_u16 {
        let key = named(&[number / 256 + 1, number % 256 + 1, 7, 7]);
        assert!(insert(&mut store, &entry(&key, 1), &order).unwrap());
    }
    let Fill { blocks, bytes, .. } = check(&mut store, longest(4));
    assert!(
        bytes * 100 >= blocks * store.block_room * 93,
        "{bytes} in {blocks}"
    );
}

#[test]
fn names_in_descending_order_leave_blocks_half_full() {
    let mut store = Store::new(4096, 300);
    for number in (0..8_000_u16).rev() {
        let key = named(&[number / 256 + 1, number % 256 + 1, 7, 7]);
        assert!(insert(&mut store, &entry(&key, 1), &order).unwrap());
    }
    is_half_full(check(&mut store, longest(4)), 4096);
}

#[test]
fn a_root_that_overflows_keeps_one_child_alone() {
    let mut store = Store::new(4096, 300);
    let mut inserted = 0;
    while store.blocks() == 0 {
        insert(&mut store, &entry(&key(inserted, 8), 1), &order).unwrap();
        inserted += 1;
    }
    assert_eq!((inserted, store.blocks()), (4, 1));
    assert_eq!(store.now[&Place::Root], node::bare(Some(8)));
    // the bytes as they are on a volume: length 24, no key, a child and the end, the child's place
    let bytes = [
        0, 0, 0, 0, 0, 0, 0, 0, 24, 0, 0, 0, 3, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0,
    ];
    assert_eq!(store.now[&Place::Root], bytes);
    let child = node::shape(&store.now[&Place::Block(8)]).unwrap();
    assert_eq!((child.keys, child.has_children), (4, false));
}

#[test]
fn on_a_full_volume_names_can_be_removed_and_none_is_added_by_halves() {
    let numbers: Vec<u32> = (0..500).collect();
    let (mut store, _) = fill(512, 20, &numbers);
    store.commit();
    let mut refused = 0;
    for number in 500..600 {
        store.failure = Some(Failure::Allocate(0));
        let before = store.now.clone();
        match insert(&mut store, &entry(&key(number, 20), 1), &order) {
            Ok(done) => assert!(done),
            Err(Error::Refused(NtStatus::DISK_FULL)) => {
                assert_eq!(store.now, before);
                refused += 1;
            }
            Err(error) => panic!("{error}"),
        }
    }
    assert!(refused > 0);
    let mut gone = 0;
    for number in 0..500 {
        store.failure = Some(Failure::Allocate(0));
        match remove(&mut store, &key(number, 20), &order) {
            Ok(removed) => gone += usize::from(removed.is_some()),
            // a key of an inner node
            Err(error) => assert!(matches!(error, Error::Refused(NtStatus::DISK_FULL))),
        }
    }
    assert!(gone > 350, "{gone}");
    store.failure = None;
    check(&mut store, usize::MAX);
    for number in 0..600 {
        remove(&mut store, &key(number, 20), &order).unwrap();
    }
    assert_eq!(store.blocks(), 0);
    assert!(is_empty(&mut store).unwrap());
}

#[test]
fn a_name_that_no_block_has_room_for_is_refused() {
    let numbers: Vec<u32> = (0..100).collect();
    let (mut store, _) = fill(512, 20, &numbers);
    let before = store.now.clone();
    let result = insert(&mut store, &entry(&named(&[0x41; 255]), 1), &order);
    assert!(matches!(result, Err(Error::Refused(NtStatus::NAME_TOO_LONG))));
    assert_eq!(store.now, before);
}

#[test]
fn what_is_no_entry_by_itself_is_not_inserted() {
    let good = entry(&named(&[0x41]), 1);
    let mut with_child = Vec::new();
    node::put(&mut with_child, &good, Some(1));
    for bad in [
        &good[..good.len() - 8],
        &with_child,
        &node::bare(None),
        &[good.clone(), good.clone()].concat(),
    ] {
        let mut store = Store::new(4096, 900);
        assert!(insert(&mut store, bad, &order).is_err());
        assert!(is_empty(&mut store).unwrap());
    }
}

#[test]
fn entries_of_a_view_keep_what_is_behind_their_key() {
    let order: &Order<'_> = &|held, wanted| held.cmp(wanted);
    let mut store = Store::new(4096, 200);
    let record = |number: u32| {
        // data at 20, 12 bytes of it; the key is a number
        let mut entry = vec![20, 0, 12, 0, 0, 0, 0, 0, 32, 0, 4, 0, 0, 0, 0, 0];
        entry.extend(number.to_be_bytes());
        entry.extend([0xda; 12]);
        entry
    };
    // more than a search remembers of one node, in the largest blocks there are
    store.block_room = 60_000;
    for number in 0..2_000 {
        let number = number * 1_237 % 2_000;
        assert!(insert(&mut store, &record(number), order).unwrap());
        assert!(!insert(&mut store, &record(number), order).unwrap());
    }
    for number in 0..2_000_u32 {
        let found = find(&mut store, &number.to_be_bytes(), order).unwrap();
        assert_eq!(found, Some(record(number)));
    }
    assert_eq!(find(&mut store, &2_000_u32.to_be_bytes(), order).unwrap(), None);
    assert!(store.now.values().any(|node| node.len() / 32 > 600));
    for number in 0..2_000_u32 {
        let removed = remove(&mut store, &number.to_be_bytes(), order).unwrap();
        assert_eq!(removed, Some(record(number)));
    }
    assert_eq!(store.blocks(), 0);
}

#[test]
fn keys_of_inner_nodes_are_updated_where_they_lie() {
    let numbers: Vec<u32> = (0..300).collect();
    let (mut store, fill) = fill(512, 20, &numbers);
    assert!(fill.depth >= 2);
    store.commit();
    for &number in &numbers {
        let set = &mut |entry: &mut [u8]| entry[..8].copy_from_slice(&u64::from(number).to_le_bytes());
        assert!(update(&mut store, &key(number, 20), &order, set).unwrap());
    }
    assert!(store.new.is_empty());
    for &number in &numbers {
        let entry = find(&mut store, &key(number, 20), &order).unwrap().unwrap();
        assert_eq!(reference(&entry), u64::from(number));
    }
    assert!(!update(&mut store, &key(300, 20), &order, &mut |_| ()).unwrap());
}

#[test]
fn empty_leaves_that_others_left_behind_are_no_obstacle() {
    // the left half of the tree has no key at all
    let name = |unit: u16| entry(&named(&[unit]), 1);
    let node_of = |parts: &[(u16, Option<u64>)], end: Option<u64>| {
        let mut node = Vec::new();
        for (unit, child) in parts {
            node::put(&mut node, &name(*unit), *child);
        }
        node::put_end(&mut node, end);
        node
    };
    let tree = || {
        let mut store = Store::new(512, 300);
        store.next = 40;
        store.now.insert(Place::Root, node_of(&[(5, Some(8))], Some(16)));
        store.now.insert(Place::Block(8), node_of(&[], Some(24)));
        store.now.insert(Place::Block(24), node_of(&[], None));
        store
            .now
            .insert(Place::Block(16), node_of(&[(7, Some(32))], Some(40)));
        store.now.insert(Place::Block(32), node_of(&[(6, None)], None));
        store.now.insert(Place::Block(40), node_of(&[], None));
        store.commit();
        store
    };
    for gone in 5..8 {
        let mut store = tree();
        assert!(remove(&mut store, &named(&[gone]), &order).unwrap().is_some());
        check(&mut store, usize::MAX);
        let left: Vec<Vec<u8>> = (5..8).filter(|unit| *unit != gone).map(name).collect();
        assert_eq!(entries(&mut store), left);
    }
    let mut store = tree();
    for gone in [7, 5, 6] {
        assert!(remove(&mut store, &named(&[gone]), &order).unwrap().is_some());
        check(&mut store, usize::MAX);
    }
    assert_eq!(store.blocks(), 0);
    assert!(is_empty(&mut store).unwrap());
}
