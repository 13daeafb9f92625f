//! The bytes of one node: its entries, each with the place of its child behind it, and the entry that ends it.
//!
//! Nothing here believes what it reads: every function looks at the entries that it passes, and what is behind the
//! ending entry is not part of the node.

use std::cmp::Ordering;

use zerocopy::FromBytes as _;
use zerocopy::byteorder::little_endian::U16;

use super::Order;
use crate::error::CorruptKind;
use crate::layout::index::{EntryFlags, IndexEntry};

type Result<T, E = CorruptKind> = std::result::Result<T, E>;

const HEADER: usize = size_of::<IndexEntry>();
/// Bytes of the place of a child, at the end of its entry.
pub(super) const CHILD: usize = 8;
/// The most bytes of an entry that ends a node.
pub(super) const END: usize = HEADER.saturating_add(CHILD);
/// Length, length of the key and flags, within an entry.
const FORM: std::ops::Range<usize> = 8..16;

/// One entry of a node.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry<'a> {
    /// Where it begins.
    pub(super) at: usize,
    /// Where the next one does.
    pub(super) next: usize,
    /// `None` in the entry that ends the node.
    pub(super) key: Option<&'a [u8]>,
    pub(super) child: Option<u64>,
    /// All of it but the place of its child.
    body: &'a [u8],
}

/// What a node is made of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Shape {
    /// How many keys it has.
    pub(super) keys: usize,
    /// Where its ending entry is.
    pub(super) end: usize,
    /// Where it ends.
    pub(super) len: usize,
    pub(super) has_children: bool,
}

/// Where in a node a key is or would be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spot {
    /// The first entry whose key is not less than the one looked for.
    pub(super) at: usize,
    pub(super) found: bool,
    /// What the entry at `at` leads to.
    pub(super) child: Option<u64>,
    pub(super) shape: Shape,
}

fn damage<T>(offset: usize, what: &'static str) -> Result<T> {
    Err(CorruptKind::IndexEntry { offset, what })
}

#[inline]
pub(super) fn entry(node: &[u8], at: usize) -> Result<Entry<'_>> {
    let rest = node.get(at..).unwrap_or_default();
    let Ok((header, _)) = IndexEntry::ref_from_prefix(rest) else {
        return damage(at, "the node ends without its ending entry");
    };
    let len = usize::from(header.len.get());
    if len < HEADER || !len.is_multiple_of(8) {
        return damage(at, "its length is below 16 or no multiple of 8");
    }
    let Some(bytes) = rest.get(..len) else {
        return damage(at, "it leads out of the node");
    };
    let flags = EntryFlags::from_bits_retain(header.flags.get());
    let (body, child) = if flags.contains(EntryFlags::HAS_CHILD) {
        match bytes.split_last_chunk::<CHILD>() {
            Some((body, child)) if body.len() >= HEADER => (body, Some(u64::from_le_bytes(*child))),
            _ => return damage(at, "it has no room for its child"),
        }
    } else {
        (bytes, None)
    };
    let key = if flags.contains(EntryFlags::END) {
        None
    } else {
        let end = HEADER.saturating_add(usize::from(header.key_len.get()));
        match body.get(HEADER..end) {
            Some(key) => Some(key),
            None => return damage(at, "its key is longer than the entry"),
        }
    };
    let next = at.saturating_add(len);
    Ok(Entry {
        at,
        next,
        key,
        child,
        body,
    })
}

/// The entries of a node from `at` on, the ending one included. After an error there are no more.
pub(super) fn entries(node: &[u8], at: usize) -> impl Iterator<Item = Result<Entry<'_>>> {
    let mut next = Some(at);
    std::iter::from_fn(move || {
        let entry = entry(node, next?);
        next = match &entry {
            Ok(entry) if entry.key.is_some() => Some(entry.next),
            _ => None,
        };
        Some(entry)
    })
}

/// Looks at a whole node.
pub(super) fn shape(node: &[u8]) -> Result<Shape> {
    let mut keys = 0_usize;
    let mut children = 0_usize;
    for entry in entries(node, 0) {
        let entry = entry?;
        children = children.saturating_add(usize::from(entry.child.is_some()));
        if entry.key.is_none() {
            return close(keys, children, &entry);
        }
        keys = keys.saturating_add(1);
    }
    damage(0, "the node ends without its ending entry")
}

fn close(keys: usize, children: usize, end: &Entry<'_>) -> Result<Shape> {
    if children != 0 && children != keys.saturating_add(1) {
        return damage(end.at, "some entries of the node have children, others have none");
    }
    Ok(Shape {
        keys,
        end: end.at,
        len: end.next,
        has_children: children != 0,
    })
}

/// How many places in a node are remembered while it is looked at.
const MARKS: usize = 64;

/// Finds a key in a node, which is looked at as a whole.
pub(super) fn locate(node: &[u8], key: &[u8], order: &Order<'_>) -> Result<Spot> {
    // where every `stride`th key is
    let mut marks = [0_u32; MARKS];
    let (mut marked, mut stride) = (0_usize, 1_usize);
    let (mut keys, mut children, mut at) = (0_usize, 0_usize, 0_usize);
    let shape = loop {
        let entry = entry(node, at)?;
        children = children.saturating_add(usize::from(entry.child.is_some()));
        if entry.key.is_none() {
            break close(keys, children, &entry)?;
        }
        if keys.is_multiple_of(stride) {
            if marked == MARKS {
                marked = thin(&mut marks);
                stride = stride.saturating_mul(2);
            }
            if keys.is_multiple_of(stride)
                && let Some(mark) = marks.get_mut(marked)
            {
                *mark = u32::try_from(at).unwrap_or(u32::MAX);
                marked = marked.saturating_add(1);
            }
        }
        keys = keys.saturating_add(1);
        at = entry.next;
    };
    // the last mark whose key is less
    let mut failed = None;
    let less = marks.get(..marked).unwrap_or_default().partition_point(|&mark| {
        match entry(node, usize::try_from(mark).unwrap_or(usize::MAX)) {
            Ok(entry) => entry.key.is_some_and(|held| order(held, key) == Ordering::Less),
            Err(error) => {
                failed = Some(error);
                false
            }
        }
    });
    if let Some(error) = failed {
        return Err(error);
    }
    let from = less.checked_sub(1).and_then(|last| marks.get(last));
    let from = from.map_or(0, |&mark| usize::try_from(mark).unwrap_or(usize::MAX));
    let known_less = usize::from(less > 0);
    for (passed, entry) in entries(node, from).enumerate() {
        let entry = entry?;
        let found = match entry.key {
            Some(_) if passed < known_less => continue,
            Some(held) => match order(held, key) {
                Ordering::Less => continue,
                order => order == Ordering::Equal,
            },
            None => false,
        };
        return Ok(Spot {
            at: entry.at,
            found,
            child: entry.child,
            shape,
        });
    }
    damage(from, "the node ends without its ending entry")
}

/// Forgets every second mark; the number that are left.
fn thin(marks: &mut [u32; MARKS]) -> usize {
    let mut kept = 0_usize;
    for place in (0..MARKS).step_by(2) {
        let mark = marks.get(place).copied().unwrap_or(0);
        if let Some(slot) = marks.get_mut(kept) {
            *slot = mark;
            kept = kept.saturating_add(1);
        }
    }
    kept
}

impl Entry<'_> {
    /// Its bytes without a child.
    pub(super) fn body_len(&self) -> usize {
        self.body.len()
    }

    /// The entry as it is where it has no child.
    pub(super) fn plain(&self) -> Vec<u8> {
        let mut plain = Vec::with_capacity(self.body.len());
        put(&mut plain, self.body, None);
        plain
    }
}

/// The key of an entry that is by itself and has no child.
pub(super) fn key_of(plain: &[u8]) -> Result<&[u8]> {
    let found = entry(plain, 0)?;
    match found.key {
        Some(key) if found.next == plain.len() && found.child.is_none() => Ok(key),
        _ => damage(0, "it is no entry by itself"),
    }
}

/// Appends an entry, given without its child.
pub(super) fn put(out: &mut Vec<u8>, body: &[u8], child: Option<u64>) {
    let at = out.len();
    out.extend_from_slice(body);
    if let Some(child) = child {
        out.extend_from_slice(&child.to_le_bytes());
    }
    let len = U16::new(u16::try_from(out.len().saturating_sub(at)).unwrap_or(u16::MAX));
    if let Some(Ok((header, _))) = out.get_mut(at..).map(IndexEntry::mut_from_prefix) {
        let mut flags = EntryFlags::from_bits_retain(header.flags.get());
        flags.set(EntryFlags::HAS_CHILD, child.is_some());
        header.flags = U16::new(flags.bits());
        header.len = len;
    }
}

/// Appends the entry that ends a node.
pub(super) fn put_end(out: &mut Vec<u8>, child: Option<u64>) {
    let mut body = [0; HEADER];
    if let Ok((header, _)) = IndexEntry::mut_from_prefix(&mut body) {
        header.flags = U16::new(EntryFlags::END.bits());
    }
    put(out, &body, child);
}

/// A node without keys.
pub(super) fn bare(child: Option<u64>) -> Vec<u8> {
    let mut node = Vec::with_capacity(END);
    put_end(&mut node, child);
    node
}

/// Gives the entry at `at` another child in place of the one that it has.
pub(super) fn set_child(node: &mut [u8], at: usize, child: u64) -> Result<()> {
    let found = entry(node, at)?;
    let next = found.next;
    let is_inner = found.child.is_some();
    let field = node.get_mut(at..next).and_then(<[u8]>::last_chunk_mut::<CHILD>);
    match field {
        Some(field) if is_inner => {
            *field = child.to_le_bytes();
            Ok(())
        }
        _ => damage(at, "it has no room for its child"),
    }
}

/// Exchanges the bytes from `at` to `to` for others.
pub(super) fn splice(node: &mut Vec<u8>, at: usize, to: usize, with: &[u8]) {
    if at <= to && to <= node.len() {
        node.splice(at..to, with.iter().copied());
    }
}

/// A node taken apart at one of its keys.
#[derive(Debug)]
pub(super) struct Halves {
    pub(super) left: Vec<u8>,
    /// The entry between them, without a child.
    pub(super) separator: Vec<u8>,
    pub(super) right: Vec<u8>,
}

/// Takes a node apart at the key at `at`.
pub(super) fn halve(node: &[u8], at: usize) -> Result<Halves> {
    let found = entry(node, at)?;
    let mut left = Vec::with_capacity(at.saturating_add(END));
    left.extend_from_slice(node.get(..at).unwrap_or_default());
    put_end(&mut left, found.child);
    Ok(Halves {
        left,
        separator: found.plain(),
        right: node.get(found.next..).unwrap_or_default().to_vec(),
    })
}

/// The nodes on both sides of a key, and that key, as one.
pub(super) fn join(left: &[u8], separator: &[u8], right: &[u8]) -> Result<Vec<u8>> {
    let shape = shape(left)?;
    let end = entry(left, shape.end)?;
    let mut both = Vec::with_capacity(
        left.len()
            .saturating_add(separator.len())
            .saturating_add(right.len()),
    );
    both.extend_from_slice(left.get(..shape.end).unwrap_or_default());
    put(&mut both, separator, end.child);
    both.extend_from_slice(right);
    Ok(both)
}

/// Where a node of keys is to be taken apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Cut {
    /// Both halves as long as each other, as far as that goes.
    Middle,
    /// All but one key on the left: keys arrive in ascending order.
    Last,
    /// On the left as much as there is room for.
    Full(usize),
}

/// The key at which a node is taken apart; `None` where it has none that is right.
pub(super) fn cut(node: &[u8], cut: Cut) -> Result<Option<usize>> {
    let shape = shape(node)?;
    // no half is left without a key where that can be
    let inner = match shape.keys {
        0..3 => 0..shape.keys,
        keys => 1..keys.saturating_sub(1),
    };
    let end = shape.len.saturating_sub(shape.end);
    let mut best = None;
    for (number, entry) in entries(node, 0).enumerate() {
        let entry = entry?;
        if !inner.contains(&number) {
            continue;
        }
        let left = entry.at.saturating_add(end);
        let right = shape.len.saturating_sub(entry.next);
        let cost = match cut {
            Cut::Middle => left.max(right),
            Cut::Last => right,
            Cut::Full(room) if left > room => break,
            Cut::Full(_) => right,
        };
        if best.is_none_or(|(least, _)| cost < least) {
            best = Some((cost, entry.at));
        }
    }
    Ok(best.map(|(_, at)| at))
}

/// The longest entry of a node, its child not counted.
pub(super) fn longest(node: &[u8]) -> Result<usize> {
    let mut longest = 0;
    for entry in entries(node, 0) {
        longest = longest.max(entry?.body_len());
    }
    Ok(longest)
}

/// The entry before the one at `at`, if there is one.
pub(super) fn before(node: &[u8], at: usize) -> Result<Option<Entry<'_>>> {
    let mut last = None;
    for entry in entries(node, 0) {
        let entry = entry?;
        if entry.at >= at {
            break;
        }
        last = Some(entry);
    }
    Ok(last)
}

/// Lets an entry be changed, all but its child, its lengths and its flags.
pub(super) fn change(node: &mut [u8], at: usize, change: &mut dyn FnMut(&mut [u8])) -> Result<()> {
    let found = entry(node, at)?;
    let body = at..at.saturating_add(found.body_len());
    let Some(body) = node.get_mut(body) else {
        return damage(at, "it leads out of the node");
    };
    let form: Option<[u8; 8]> = body.get(FORM).and_then(|form| form.first_chunk().copied());
    change(body);
    if let (Some(field), Some(form)) = (body.get_mut(FORM), form) {
        field.copy_from_slice(&form);
    }
    Ok(())
}
