//! The blocks that a batch of changes is made of, and the order in which they reach the device.
//!
//! There is no journal. What keeps every state in between sound is the order: each [`Class`] is written and flushed
//! before the next one begins, and no block of a class needs another block of the same class. See
//! `docs/design/0007-writing-ntfs.md`.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

use super::bytes::{get_u16, put_u16, size, wide};
use crate::device::Device;
use crate::error::{Error, Result};
use crate::fixup;
use crate::layout::read_bytes;
use crate::layout::record::MultiSectorHeader;
use crate::runs::RunList;
use crate::units::Vcn;

/// When, within a commit, a block is written.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) enum Class {
    /// Bits that mark clusters and records as used.
    Allocate,
    /// What nothing on the device leads to yet: new extension records, index blocks and attribute lists.
    New,
    /// Base records of files, new ones too: names and counts that entries will lead to.
    Base,
    /// Base records of directories whose index changes: its root, its size, its bitmap.
    Directory,
    /// Index blocks that stay where they are.
    InPlace,
    /// Base records that lose names, or their file.
    Removed,
    /// Extension records that no list names any more.
    Extension,
    /// Bits that mark clusters, records and index blocks as free.
    Free,
}

impl Class {
    pub(crate) const ALL: [Self; 8] = [
        Self::Allocate,
        Self::New,
        Self::Base,
        Self::Directory,
        Self::InPlace,
        Self::Removed,
        Self::Extension,
        Self::Free,
    ];
}

/// Where a block lies on the device: nearly always in one piece.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Location {
    first: u64,
    first_len: usize,
    rest: Vec<(u64, usize)>,
}

impl Location {
    /// A block in one piece.
    pub(crate) fn at(offset: u64, len: usize) -> Self {
        Self {
            first: offset,
            first_len: len,
            rest: Vec::new(),
        }
    }

    /// The bytes of a value from `offset` on; `None` where its clusters do not hold them all.
    pub(crate) fn in_runs(runs: &RunList, cluster: u32, mut offset: u64, mut len: usize) -> Option<Self> {
        let cluster = u64::from(cluster);
        let shift = cluster.is_power_of_two().then(|| cluster.trailing_zeros());
        let mut found: Option<Self> = None;
        while len > 0 {
            let vcn = match shift {
                Some(shift) => offset.checked_shr(shift)?,
                None => offset.checked_div(cluster)?,
            };
            let extent = runs.find(Vcn(vcn))?;
            let inside = offset.checked_sub(extent.vcn.0.checked_mul(cluster)?)?;
            let left = extent.len.checked_mul(cluster)?.checked_sub(inside)?;
            let here = size(left).min(len);
            let place = extent.lcn?.0.checked_mul(cluster)?.checked_add(inside)?;
            match &mut found {
                None => found = Some(Self::at(place, here)),
                Some(found) => found.rest.push((place, here)),
            }
            offset = offset.checked_add(wide(here))?;
            len = len.checked_sub(here)?;
        }
        found
    }

    /// What the block is known by: its first byte.
    pub(crate) fn key(&self) -> u64 {
        self.first
    }

    pub(crate) fn pieces(&self) -> impl Iterator<Item = (u64, usize)> + '_ {
        std::iter::once((self.first, self.first_len)).chain(self.rest.iter().copied())
    }

    pub(crate) fn len(&self) -> usize {
        self.pieces().fold(0, |sum, (_, len)| sum.saturating_add(len))
    }
}

/// A block in memory, its update sequence undone.
#[derive(Clone, Debug)]
struct Block {
    location: Location,
    bytes: Vec<u8>,
    /// Its signature, where it is protected by an update sequence.
    signature: Option<[u8; 4]>,
    /// When it is to be written; `None` where the device has it like this.
    class: Option<Class>,
    /// What is to be written of it before that.
    earlier: Vec<(Class, Vec<u8>)>,
    /// Where a copy of it lies: `$MFTMirr`.
    mirror: Option<u64>,
}

/// A device, with the blocks that are not on it yet.
#[derive(Debug)]
pub(crate) struct Cache {
    device: Arc<dyn Device>,
    blocks: HashMap<u64, Block, BuildHasherDefault<OffsetHasher>>,
    /// Keys of the blocks that are to be written.
    dirty: HashSet<u64, BuildHasherDefault<OffsetHasher>>,
    /// Keys of the blocks that lie in several pieces.
    scattered: HashSet<u64, BuildHasherDefault<OffsetHasher>>,
    /// Bytes in `blocks`.
    held: usize,
    /// Bytes of the longest block that was ever there.
    longest: usize,
    /// Blocks as they were before the present operation.
    undo: Vec<(u64, Option<Block>)>,
    /// Blocks as they were before the present part of it, where that may fail by itself.
    undo_part: Option<Vec<(u64, Option<Block>)>>,
    /// Content was written that is not safe yet.
    unflushed: bool,
    /// Blocks that lie side by side are written together.
    pub(crate) coalesce: bool,
    /// Records that are likely to be asked for next.
    ahead: Ahead,
    /// Memory of blocks that nobody goes back to, for the next ones.
    spare: Vec<Vec<u8>>,
}

/// Offsets are spread by one multiplication: nobody chooses them to be slow.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct OffsetHasher(u64);

impl Hasher for OffsetHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u64(&mut self, offset: u64) {
        let mixed = (self.0 ^ offset).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        self.0 = mixed ^ (mixed >> 32);
    }
}

/// No block begins elsewhere than at a multiple of this.
const GRAIN: u64 = 256;

/// Bytes of one write.
const WRITE_LIMIT: usize = 1 << 20;

/// So many blocks' memory is kept for others: an operation seldom changes more.
const SPARE: usize = 16;

impl Cache {
    pub(crate) fn new(device: Arc<dyn Device>) -> Self {
        Self {
            device,
            blocks: HashMap::default(),
            dirty: HashSet::default(),
            scattered: HashSet::default(),
            held: 0,
            longest: 0,
            undo: Vec::new(),
            undo_part: None,
            unflushed: false,
            coalesce: true,
            ahead: Ahead::default(),
            spare: Vec::new(),
        }
    }

    pub(crate) fn device(&self) -> &dyn Device {
        &*self.device
    }

    /// Bytes of the blocks in memory.
    pub(crate) fn held(&self) -> usize {
        self.held
    }

    /// Whether there is nothing to be written.
    pub(crate) fn is_clean(&self) -> bool {
        self.dirty.is_empty()
    }

    /// When the block is to be written.
    pub(crate) fn class(&self, key: u64) -> Option<Class> {
        self.blocks.get(&key).and_then(|block| block.class)
    }

    fn load(&mut self, location: &Location, signature: Option<[u8; 4]>) -> Result<&mut Block> {
        let place = match self.blocks.entry(location.key()) {
            Entry::Occupied(known) => return Ok(known.into_mut()),
            Entry::Vacant(place) => place,
        };
        let mut bytes = vec![0; location.len()];
        let mut at = 0_usize;
        for (offset, len) in location.pieces() {
            let end = at.saturating_add(len);
            let piece = bytes.get_mut(at..end).unwrap_or_default();
            // records lie side by side, and are asked for in their order by whoever visits a tree
            if signature == Some(*b"FILE") {
                self.ahead.read(&*self.device, offset, piece)?;
            } else {
                read_bytes(&*self.device, offset, piece)?;
            }
            at = end;
        }
        if let Some(signature) = signature {
            fixup::undo(&mut bytes, signature)?;
        }
        self.held = self.held.saturating_add(bytes.len());
        self.longest = self.longest.max(bytes.len());
        if !location.rest.is_empty() {
            self.scattered.insert(location.key());
        }
        Ok(place.insert(Block {
            location: location.clone(),
            bytes,
            signature,
            class: None,
            earlier: Vec::new(),
            mirror: None,
        }))
    }

    fn put(&mut self, block: Block) {
        self.held = self.held.saturating_add(block.bytes.len());
        self.longest = self.longest.max(block.bytes.len());
        if !block.location.rest.is_empty() {
            self.scattered.insert(block.location.key());
        }
        if let Some(old) = self.blocks.insert(block.location.key(), block) {
            self.held = self.held.saturating_sub(old.bytes.len());
        }
    }

    fn drop_block(&mut self, key: u64) {
        if let Some(old) = self.blocks.remove(&key) {
            self.held = self.held.saturating_sub(old.bytes.len());
        }
        self.dirty.remove(&key);
        self.scattered.remove(&key);
    }

    /// The bytes of a block.
    pub(crate) fn read(&mut self, location: &Location, signature: Option<[u8; 4]>) -> Result<&[u8]> {
        Ok(&self.load(location, signature)?.bytes)
    }

    fn remember(&mut self, key: u64) {
        // most likely it is one of the last
        if !self.undo.iter().rev().any(|(other, _)| *other == key) {
            let spare = &mut self.spare;
            let before = self.blocks.get(&key).map(|block| {
                let mut bytes = spare.pop().unwrap_or_default();
                bytes.extend_from_slice(&block.bytes);
                Block {
                    location: block.location.clone(),
                    bytes,
                    earlier: block.earlier.clone(),
                    ..*block
                }
            });
            self.undo.push((key, before));
        }
        if let Some(part) = &mut self.undo_part
            && !part.iter().rev().any(|(other, _)| *other == key)
        {
            part.push((key, self.blocks.get(&key).cloned()));
        }
    }

    /// What follows can be taken back by itself, until [`Cache::end_part`].
    pub(crate) fn begin_part(&mut self) {
        self.undo_part = Some(Vec::new());
    }

    /// Keeps what was done since [`Cache::begin_part`], or takes it back.
    pub(crate) fn end_part(&mut self, keep: bool) {
        let part = self.undo_part.take().unwrap_or_default();
        if !keep {
            self.restore(part);
        }
    }

    /// The bytes of a block, to be changed and written with `class`.
    ///
    /// # Errors
    ///
    /// [`Error::Conflict`] where the block is to be written later already: then the batch must be written first.
    pub(crate) fn write(
        &mut self,
        location: &Location,
        signature: Option<[u8; 4]>,
        class: Class,
    ) -> Result<&mut [u8]> {
        self.load(location, signature)?;
        self.write_loaded(location.key(), class)
    }

    /// The same for a block that was read just now.
    pub(crate) fn write_loaded(&mut self, key: u64, class: Class) -> Result<&mut [u8]> {
        self.remember(key);
        let Some(block) = self.blocks.get_mut(&key) else {
            return Err(Error::Conflict);
        };
        if block.class.is_none() {
            self.dirty.insert(key);
        }
        match block.class {
            None => block.class = Some(class),
            Some(before) if before == class => {}
            // nothing on the device leads to it: it need not wait for itself
            Some(Class::New) if matches!(class, Class::Base | Class::InPlace | Class::Allocate) => {}
            Some(before) if before < class => {
                block.earlier.push((before, block.bytes.clone()));
                block.class = Some(class);
            }
            Some(_) => return Err(Error::Conflict),
        }
        Ok(&mut block.bytes)
    }

    /// A block that is not read: all of it is new.
    pub(crate) fn create(
        &mut self,
        location: &Location,
        signature: Option<[u8; 4]>,
        bytes: Vec<u8>,
        class: Class,
    ) {
        let key = location.key();
        self.remember(key);
        let mirror = self.blocks.get(&key).and_then(|block| block.mirror);
        self.put(Block {
            location: location.clone(),
            bytes,
            signature,
            class: Some(class),
            earlier: Vec::new(),
            mirror,
        });
        self.dirty.insert(key);
    }

    /// The block has a copy at `offset`.
    pub(crate) fn set_mirror(&mut self, key: u64, offset: u64) {
        if let Some(block) = self.blocks.get_mut(&key) {
            block.mirror = Some(offset);
        }
    }

    /// Forgets a block of which the device need not know.
    pub(crate) fn forget(&mut self, key: u64) {
        self.remember(key);
        self.drop_block(key);
    }

    /// Forgets what it knows of a stretch of the device that is free now.
    pub(crate) fn discard(&mut self, offset: u64, len: u64) {
        let end = offset.saturating_add(len);
        let keys: Vec<u64> = if len >> 8 > wide(self.blocks.len()) {
            let keys = self.blocks.keys().copied();
            keys.filter(|&key| key >= offset && key < end).collect()
        } else {
            let mut keys = Vec::new();
            let mut at = offset;
            while at < end {
                if self.blocks.contains_key(&at) {
                    keys.push(at);
                }
                at = at.saturating_add(GRAIN);
            }
            keys
        };
        for key in keys {
            self.drop_block(key);
        }
    }

    /// Writes to the device at once: the content of a file, which has no order to keep but to be there before its record.
    pub(crate) fn write_content(&mut self, offset: u64, bytes: &[u8]) -> Result<()> {
        self.unflushed = true;
        self.write_now(offset, bytes)
    }

    /// Writes to the device at once what no block holds.
    pub(crate) fn write_now(&mut self, offset: u64, bytes: &[u8]) -> Result<()> {
        self.ahead.forget();
        write_bytes(&*self.device, offset, bytes)
    }

    /// The present operation is done: there is no way back.
    pub(crate) fn keep(&mut self) {
        for (_, block) in self.undo.drain(..) {
            if let Some(Block { mut bytes, .. }) = block
                && self.spare.len() < SPARE
            {
                bytes.clear();
                self.spare.push(bytes);
            }
        }
    }

    /// Every block is again as it was before the present operation.
    pub(crate) fn roll_back(&mut self) {
        self.undo_part = None;
        let undo = std::mem::take(&mut self.undo);
        self.restore(undo);
    }

    fn restore(&mut self, blocks: Vec<(u64, Option<Block>)>) {
        for (key, block) in blocks.into_iter().rev() {
            self.drop_block(key);
            if let Some(block) = block {
                if block.class.is_some() {
                    self.dirty.insert(key);
                }
                self.put(block);
            }
        }
    }

    /// Writes all blocks of a class, and answers whether there were any. They are safe after a flush only.
    pub(crate) fn write_class(&mut self, class: Class) -> Result<bool> {
        let mut writes = Writes::default();
        let mut any = false;
        let mut clean = Vec::new();
        let mut scratch = Vec::new();
        let mut keys: Vec<u64> = self
            .dirty
            .iter()
            .copied()
            .filter(|key| {
                self.blocks.get(key).is_some_and(|block| {
                    block.class == Some(class) || block.earlier.iter().any(|(other, _)| *other == class)
                })
            })
            .collect();
        // in the order of the device
        keys.sort_unstable();
        self.ahead.forget();
        for key in keys {
            let Some(block) = self.blocks.get_mut(&key) else {
                continue;
            };
            let due = block.class == Some(class);
            let early = block.earlier.iter().position(|(other, _)| *other == class);
            any = true;
            let mut bytes = std::mem::take(&mut scratch);
            bytes.clear();
            match early {
                Some(early) => bytes.append(&mut block.earlier.remove(early).1),
                None => bytes.extend_from_slice(&block.bytes),
            }
            if block.signature.is_some() {
                advance(&mut bytes);
                // the next write has a number of its own again
                let (at, number) = number(&bytes);
                put_u16(&mut block.bytes, at, number);
                fixup::protect(&mut bytes);
            }
            if let Some(mirror) = block.mirror {
                writes.add(&*self.device, mirror, &bytes, self.coalesce)?;
            }
            let mut rest = bytes.as_slice();
            for (offset, len) in block.location.pieces() {
                let (piece, after) = rest.split_at_checked(len).unwrap_or((rest, &[]));
                writes.add(&*self.device, offset, piece, self.coalesce)?;
                rest = after;
            }
            if due {
                block.class = None;
                clean.push(key);
            }
            scratch = bytes;
        }
        for key in clean {
            self.dirty.remove(&key);
        }
        writes.finish(&*self.device)?;
        Ok(any)
    }

    /// Forgets blocks that the device has, where there are more than `limit` bytes of them.
    pub(crate) fn shrink(&mut self, limit: usize) {
        if self.held > limit {
            let dirty = &self.dirty;
            self.blocks.retain(|key, _| dirty.contains(key));
            self.scattered.retain(|key| dirty.contains(key));
            self.held = self
                .blocks
                .values()
                .fold(0, |sum, block| sum.saturating_add(block.bytes.len()));
        }
    }

    /// Fills a buffer with what the device will hold once everything is written.
    pub(crate) fn read_through(&self, offset: u64, buffer: &mut [u8]) -> std::io::Result<()> {
        if let Some(block) = self.blocks.get(&offset)
            && block.location.rest.is_empty()
            && block.bytes.len() == buffer.len()
        {
            buffer.copy_from_slice(&block.bytes);
            if block.signature.is_some() {
                fixup::protect(buffer);
            }
            return Ok(());
        }
        self.device.read_at(offset, buffer)?;
        let end = offset.saturating_add(wide(buffer.len()));
        if self.dirty.is_empty() {
            return Ok(());
        }
        // a block that begins before may reach into it
        let from = offset.saturating_sub(wide(self.longest)) & !GRAIN.saturating_sub(1);
        let mut near: Vec<u64> = Vec::new();
        if end.saturating_sub(from) >> 8 > wide(self.dirty.len()) {
            near.extend(self.dirty.iter().filter(|&&key| key >= from && key < end));
        } else {
            let mut at = from;
            while at < end {
                if self.dirty.contains(&at) {
                    near.push(at);
                }
                at = at.saturating_add(GRAIN);
            }
        }
        near.retain(|key| !self.scattered.contains(key));
        let near = near.iter();
        let far = self.scattered.iter().filter(|key| self.dirty.contains(key));
        for block in near.chain(far).filter_map(|key| self.blocks.get(key)) {
            let mut bytes = block.bytes.clone();
            if block.signature.is_some() {
                fixup::protect(&mut bytes);
            }
            let mut rest = bytes.as_slice();
            for (place, len) in block.location.pieces() {
                let (piece, after) = rest.split_at_checked(len).unwrap_or((rest, &[]));
                overlay(offset, buffer, place, piece);
                rest = after;
            }
        }
        Ok(())
    }

    /// Writes all blocks of a class, and returns once they are safe.
    pub(crate) fn commit_class(&mut self, class: Class) -> Result<()> {
        let wrote = self.write_class(class)?;
        if wrote || class == Class::New && self.unflushed {
            self.flush()?;
        }
        Ok(())
    }

    /// Returns once everything written is safe.
    pub(crate) fn flush(&mut self) -> Result<()> {
        self.device.flush().map_err(|source| Error::Device {
            action: "flush",
            offset: 0,
            len: self.device.size(),
            source,
        })?;
        self.unflushed = false;
        Ok(())
    }
}

/// A stretch of the device as it is, for blocks that lie side by side and are asked for in their order: one read instead
/// of one for each. Nothing may be written to the device that this does not forget.
#[derive(Default, Debug)]
struct Ahead {
    offset: u64,
    bytes: Vec<u8>,
    /// Where the last block that was read ended.
    end: u64,
}

impl Ahead {
    /// Bytes that are read at once.
    const STRETCH: usize = 64 << 10;
    /// Who asks for a block that lies no further behind the last one will ask for more of them.
    const NEAR: u64 = 8 << 10;

    fn read(&mut self, device: &dyn Device, offset: u64, buffer: &mut [u8]) -> Result<()> {
        let len = wide(buffer.len());
        let is_near = offset.checked_sub(self.end).is_some_and(|gap| gap <= Self::NEAR);
        self.end = offset.saturating_add(len);
        if self.copy(offset, buffer) {
            return Ok(());
        }
        let stretch = wide(Self::STRETCH).min(device.size().saturating_sub(offset));
        if is_near && stretch > len {
            self.bytes.resize(size(stretch), 0);
            self.offset = offset;
            // what is behind the block may be damaged: nobody asked for it
            if device.read_at(offset, &mut self.bytes).is_ok() && self.copy(offset, buffer) {
                return Ok(());
            }
            self.forget();
        }
        read_bytes(device, offset, buffer)
    }

    fn copy(&self, offset: u64, buffer: &mut [u8]) -> bool {
        let held = offset
            .checked_sub(self.offset)
            .and_then(|skip| self.bytes.get(size(skip)..)?.get(..buffer.len()));
        if let Some(held) = held {
            buffer.copy_from_slice(held);
        }
        held.is_some()
    }

    fn forget(&mut self) {
        self.bytes.clear();
    }
}

/// Copies the part of `piece`, which lies at `place`, that falls into the buffer, which lies at `offset`.
fn overlay(offset: u64, buffer: &mut [u8], place: u64, piece: &[u8]) {
    let (skip, at) = if place >= offset {
        (0, size(place.saturating_sub(offset)))
    } else {
        (size(offset.saturating_sub(place)), 0)
    };
    let source = piece.get(skip..).unwrap_or_default();
    let target = buffer.get_mut(at..).unwrap_or_default();
    let len = source.len().min(target.len());
    if let (Some(target), Some(source)) = (target.get_mut(..len), source.get(..len)) {
        target.copy_from_slice(source);
    }
}

/// Where a protected block has its update sequence number, and the number.
fn number(bytes: &[u8]) -> (usize, u16) {
    let at = usize::from(get_u16(
        bytes,
        std::mem::offset_of!(MultiSectorHeader, update_sequence_offset),
    ));
    (at, get_u16(bytes, at))
}

/// Gives a protected block the next update sequence number; 0 and 0xFFFF are left out.
fn advance(bytes: &mut [u8]) {
    let (at, number) = number(bytes);
    let next = match number.wrapping_add(1) {
        0 | 0xFFFF => 1,
        next => next,
    };
    put_u16(bytes, at, next);
}

/// Writes that are put together where they meet.
#[derive(Default)]
struct Writes {
    offset: u64,
    bytes: Vec<u8>,
}

impl Writes {
    fn add(&mut self, device: &dyn Device, offset: u64, bytes: &[u8], coalesce: bool) -> Result<()> {
        let end = self.offset.saturating_add(wide(self.bytes.len()));
        if !coalesce || end != offset || self.bytes.len().saturating_add(bytes.len()) > WRITE_LIMIT {
            self.finish(device)?;
            self.offset = offset;
        }
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    fn finish(&mut self, device: &dyn Device) -> Result<()> {
        if !self.bytes.is_empty() {
            write_bytes(device, self.offset, &self.bytes)?;
            self.bytes.clear();
        }
        Ok(())
    }
}

/// Writes bytes to a device.
pub(crate) fn write_bytes(device: &dyn Device, offset: u64, bytes: &[u8]) -> Result<()> {
    device.write_at(offset, bytes).map_err(|source| Error::Device {
        action: "write",
        offset,
        len: wide(bytes.len()),
        source,
    })
}
