//! What a writer knows of its volume: blocks, free space, and what waits for the commit.

use std::collections::{HashMap, HashSet};
use std::hash::BuildHasherDefault;
use std::sync::Arc;

use polylink_nt::NtStatus;
use polylink_nt::name::Namespace;
use polylink_nt::upcase::UpcaseTable;

use super::attributes;
use super::bits::{Bits, Free};
use super::bytes::size;
use super::cache::{Cache, Class, Location, OffsetHasher};
use super::directory::{DirectoryInfo, IndexName};
use super::operations::Entry;
use crate::error::{Corrupt, CorruptKind, Error, Result};
use crate::geometry::Geometry;
use crate::layout::record::RecordFlags;
use crate::record::Record;
use crate::runs::{Extent, RunList};
use crate::units::{FileReference, Lcn, RecordNumber, Vcn};

pub(crate) const FILE: Option<[u8; 4]> = Some(*b"FILE");
pub(crate) const INDX: Option<[u8; 4]> = Some(*b"INDX");

/// By the number of a record, which nobody chooses to be slow.
type ByNumber<K, V> = HashMap<K, V, BuildHasherDefault<OffsetHasher>>;

/// Files of which more than the records is kept in memory.
const HINTS: usize = 1 << 12;

/// What becomes free at the end of the commit.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pending {
    pub(crate) clusters: Vec<Free>,
    /// Records whose bit is cleared: nothing is in use there any more.
    pub(crate) records: Vec<RecordNumber>,
    /// Extension records that are cleared before their bit is.
    pub(crate) extensions: Vec<RecordNumber>,
    /// Blocks of an index.
    pub(crate) blocks: Vec<(RecordNumber, IndexName, u64)>,
}

/// How long each list was before the present operation.
#[derive(Clone, Copy, Debug, Default)]
struct Mark {
    clusters: usize,
    records: usize,
    extensions: usize,
    blocks: usize,
    removals: usize,
}

impl Pending {
    pub(crate) fn is_empty(&self) -> bool {
        self.clusters.is_empty()
            && self.records.is_empty()
            && self.extensions.is_empty()
            && self.blocks.is_empty()
    }
}

/// A name that is gone for everybody who asks, and leaves the volume in the second half of the commit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Removal {
    pub(crate) directory: RecordNumber,
    pub(crate) file: FileReference,
    /// The name, unit for unit.
    pub(crate) name: Vec<u16>,
    /// The entry leads to another file already.
    pub(crate) replaced: bool,
    /// Its namespace, where the file has the same name twice while one takes the place of the other.
    pub(crate) namespace: Option<Namespace>,
}

/// What is known of a file, so that one more name costs no search through those that it has.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Hint {
    /// Where in its attribute list the names end.
    pub(crate) names_end: Option<usize>,
    /// An extension record with room.
    pub(crate) roomy: Option<RecordNumber>,
    /// What its names tell of it.
    pub(crate) facts: Option<Facts>,
    /// How many of its names are 8.3 twins.
    pub(crate) twins: Option<u16>,
}

/// What every name of a file repeats of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Facts {
    pub(crate) created: u64,
    pub(crate) modified: u64,
    pub(crate) changed: u64,
    pub(crate) accessed: u64,
    pub(crate) allocated: u64,
    pub(crate) size: u64,
    /// As in a `$FILE_NAME`: with the bit that says that it is a directory.
    pub(crate) attributes: u32,
    pub(crate) ea_or_tag: u32,
}

/// Entries of directories that somebody looked at, who is likely to ask for them again.
///
/// They are true as long as names are only added.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    entries: ByNumber<RecordNumber, HashMap<Vec<u16>, Entry>>,
    count: usize,
    /// The present operation takes no name away.
    pub(crate) only_more: bool,
}

impl Seen {
    /// Entries that are kept.
    const MOST: usize = 1 << 15;

    pub(crate) fn find(&self, directory: RecordNumber, name: &[u16]) -> Option<&Entry> {
        self.entries.get(&directory)?.get(name)
    }

    pub(crate) fn add(&mut self, directory: RecordNumber, entry: &Entry) {
        if self.count >= Self::MOST {
            self.forget();
        }
        let names = self.entries.entry(directory).or_default();
        names.insert(entry.name.clone(), entry.clone());
        self.count = self.count.saturating_add(1);
    }

    fn forget(&mut self) {
        if self.count > 0 {
            self.entries.clear();
            self.count = 0;
        }
    }
}

/// Everything that changes while a volume is written.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) cache: Cache,
    pub(crate) geometry: Geometry,
    pub(crate) upcase: Arc<UpcaseTable>,
    /// Where the table lies.
    pub(crate) table: RunList,
    /// Records that it has, used or not.
    pub(crate) records: u64,
    /// Where the copies of the first records are, and how many there are.
    pub(crate) mirror: (RunList, u64),
    pub(crate) clusters: Bits,
    pub(crate) record_bits: Bits,
    /// `$SECURITY_DESCRIPTOR`s are in `$Secure`: NTFS 3.0 and later.
    pub(crate) version3: bool,
    pub(crate) pending: Pending,
    pub(crate) removals: Vec<Removal>,
    /// The directories and names of `removals` whose entries are still there.
    pub(crate) hidden: HashSet<(RecordNumber, Vec<u16>)>,
    /// How many names of a file are in `removals`.
    pub(crate) leaving: ByNumber<RecordNumber, u32>,
    pub(crate) directories: ByNumber<(RecordNumber, IndexName), DirectoryInfo>,
    pub(crate) hints: ByNumber<RecordNumber, Hint>,
    pub(crate) seen: Seen,
    /// A directory got another name since the last commit.
    pub(crate) directory_moved: bool,
    /// Records from here on were added to the table since it was opened, and were never used.
    pub(crate) unused_from: u64,
    /// A free record that no file gets: the next growth of the table needs it.
    pub(crate) table_reserve: Option<RecordNumber>,
    /// How often the table grew.
    pub(crate) generation: u64,
    /// An operation found no free record: the table must grow first.
    pub(crate) want_records: bool,
    mark: Mark,
    /// Which class base records of files are written with: [`Class::Base`], in the second half [`Class::Removed`].
    pub(crate) base_class: Class,
}

impl State {
    pub(crate) fn new(
        cache: Cache,
        geometry: Geometry,
        upcase: Arc<UpcaseTable>,
        table: (RunList, u64),
        mirror: (RunList, u64),
        bits: (Bits, Bits),
        version3: bool,
    ) -> Self {
        Self {
            cache,
            geometry,
            upcase,
            table: table.0,
            records: table.1,
            mirror,
            clusters: bits.0,
            record_bits: bits.1,
            version3,
            pending: Pending::default(),
            removals: Vec::new(),
            hidden: HashSet::new(),
            leaving: HashMap::default(),
            directories: HashMap::default(),
            hints: HashMap::default(),
            seen: Seen::default(),
            directory_moved: false,
            unused_from: u64::MAX,
            table_reserve: None,
            generation: 0,
            want_records: false,
            mark: Mark::default(),
            base_class: Class::Base,
        }
    }

    // operations

    /// A new operation begins: until it is kept, everything can be taken back.
    pub(crate) fn begin(&mut self) {
        self.cache.keep();
        // they are found again where somebody asks
        if self.hints.len() > HINTS {
            self.hints.clear();
        }
        if !self.seen.only_more {
            self.seen.forget();
        }
        self.mark = Mark {
            clusters: self.pending.clusters.len(),
            records: self.pending.records.len(),
            extensions: self.pending.extensions.len(),
            blocks: self.pending.blocks.len(),
            removals: self.removals.len(),
        };
    }

    /// The present operation failed: everything is again as before.
    pub(crate) fn roll_back(&mut self) {
        self.cache.roll_back();
        self.pending.clusters.truncate(self.mark.clusters);
        self.pending.records.truncate(self.mark.records);
        self.pending.extensions.truncate(self.mark.extensions);
        self.pending.blocks.truncate(self.mark.blocks);
        for removal in self
            .removals
            .split_off(self.mark.removals.min(self.removals.len()))
        {
            self.unhide(&removal);
        }
        self.clusters.was_rolled_back();
        self.record_bits.was_rolled_back();
        self.directories.clear();
        self.hints.clear();
    }

    /// Does a part of the present operation that may fail without the whole failing: then it leaves nothing behind.
    pub(crate) fn attempt<T>(&mut self, part: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        let before = (
            self.pending.clusters.len(),
            self.pending.records.len(),
            self.pending.extensions.len(),
            self.pending.blocks.len(),
        );
        self.cache.begin_part();
        let outcome = part(self);
        self.cache.end_part(outcome.is_ok());
        if outcome.is_err() {
            self.pending.clusters.truncate(before.0);
            self.pending.records.truncate(before.1);
            self.pending.extensions.truncate(before.2);
            self.pending.blocks.truncate(before.3);
            self.clusters.was_rolled_back();
            self.record_bits.was_rolled_back();
            self.directories.clear();
            self.hints.clear();
        }
        outcome
    }

    /// A name leaves the volume: from now on nobody sees it.
    pub(crate) fn remove_later(&mut self, removal: Removal) {
        if !removal.replaced {
            self.hidden.insert((removal.directory, removal.name.clone()));
        }
        let leaving = self.leaving.entry(removal.file.record()).or_default();
        *leaving = leaving.saturating_add(1);
        self.removals.push(removal);
    }

    pub(crate) fn unhide(&mut self, removal: &Removal) {
        if !removal.replaced {
            self.hidden.remove(&(removal.directory, removal.name.clone()));
        }
        if let Some(leaving) = self.leaving.get_mut(&removal.file.record()) {
            *leaving = leaving.saturating_sub(1);
            if *leaving == 0 {
                self.leaving.remove(&removal.file.record());
            }
        }
    }

    // records

    pub(crate) fn record_len(&self) -> usize {
        size(self.geometry.record)
    }

    pub(crate) fn locate(&self, number: RecordNumber) -> Result<Location> {
        let missing = || {
            let records = self.records;
            Error::from(Corrupt::new(CorruptKind::NoSuchRecord { records }).in_record(number))
        };
        let offset = self
            .geometry
            .offset_in_mft(number)
            .filter(|_| number.0 < self.records);
        let location = Location::in_runs(
            &self.table,
            self.geometry.cluster,
            offset.ok_or_else(missing)?,
            self.record_len(),
        );
        location.ok_or_else(missing)
    }

    /// A record, its update sequence undone and its header checked.
    pub(crate) fn record(&mut self, number: RecordNumber) -> Result<&[u8]> {
        let location = self.locate(number)?;
        let bytes = self
            .cache
            .read(&location, FILE)
            .map_err(|error| error.in_record(number))?;
        Record::parsed(number, bytes)?;
        Ok(bytes)
    }

    /// A record that is in use, to be changed.
    pub(crate) fn record_mut(&mut self, number: RecordNumber, class: Class) -> Result<&mut [u8]> {
        let location = self.locate(number)?;
        self.record_mut_at(number, &location, class)
    }

    fn record_mut_at(
        &mut self,
        number: RecordNumber,
        location: &Location,
        class: Class,
    ) -> Result<&mut [u8]> {
        let bytes = self
            .cache
            .read(location, FILE)
            .map_err(|error| error.in_record(number))?;
        Record::parsed(number, bytes)?;
        if number.0 < self.mirror.1
            && let Some(offset) = self.geometry.offset_in_mft(number)
            && let Some(copy) =
                Location::in_runs(&self.mirror.0, self.geometry.cluster, offset, self.record_len())
        {
            self.cache.set_mirror(location.key(), copy.key());
        }
        self.cache.write_loaded(location.key(), class)
    }

    /// A record, to be changed in times and the like.
    pub(crate) fn record_touch(&mut self, number: RecordNumber) -> Result<&mut [u8]> {
        let location = self.locate(number)?;
        let class = self.cache.class(location.key()).unwrap_or(self.base_class);
        self.record_mut_at(number, &location, class)
    }

    /// Whether nothing on the device leads to the record.
    pub(crate) fn is_new(&self, number: RecordNumber) -> bool {
        self.locate(number)
            .is_ok_and(|location| self.cache.class(location.key()) == Some(Class::New))
    }

    /// Takes a free record, and fills it with an empty one.
    ///
    /// # Errors
    ///
    /// [`Error::Conflict`] where there is none: the table grows before the operation is tried again.
    pub(crate) fn take_record(
        &mut self,
        base: Option<FileReference>,
        flags: RecordFlags,
    ) -> Result<FileReference> {
        let mut found = self.take_record_bit()?;
        if self.table_reserve == Some(RecordNumber(found.start)) {
            let other = self.take_record_bit()?;
            self.record_bits
                .set(&mut self.cache, found, false, Class::Allocate)?;
            found = other;
        }
        let number = RecordNumber(found.start);
        let location = self.locate(number)?;
        // the number of times that it was used goes on from what stands there
        let sequence = if number.0 >= self.unused_from {
            1
        } else {
            match self.cache.read(&location, FILE) {
                Ok(bytes) => attributes::sequence(bytes).max(1),
                Err(Error::Corrupt(_)) => 1,
                Err(error) => return Err(error),
            }
        };
        let bytes = attributes::new_record(
            self.record_len(),
            number,
            sequence,
            base,
            flags | RecordFlags::IN_USE,
        );
        // a base record leads to extension records and lists, which must be there before
        let class = if base.is_some() { Class::New } else { Class::Base };
        self.cache.create(&location, FILE, bytes, class);
        if number.0 >= self.unused_from {
            self.unused_from = number.0.saturating_add(1);
        }
        Ok(FileReference::new(number, sequence))
    }

    fn take_record_bit(&mut self) -> Result<Free> {
        match self.record_bits.take(&mut self.cache, None, 1, 1) {
            Err(Error::Refused(NtStatus::DISK_FULL)) => {
                self.want_records = true;
                Err(Error::Conflict)
            }
            found => found,
        }
    }

    /// Gives a record back that was taken since the last commit.
    pub(crate) fn give_record_back(&mut self, number: RecordNumber) -> Result<()> {
        let location = self.locate(number)?;
        self.cache.forget(location.key());
        let bit = Free {
            start: number.0,
            len: 1,
        };
        self.record_bits.set(&mut self.cache, bit, false, Class::Allocate)
    }

    // clusters

    /// Takes so many clusters, in as few pieces as can be had, each of a multiple of `granule`.
    ///
    /// # Errors
    ///
    /// `DISK_FULL`.
    pub(crate) fn take_clusters(
        &mut self,
        mut want: u64,
        near: Option<Lcn>,
        granule: u64,
        from: Vcn,
    ) -> Result<RunList> {
        let mut extents: Vec<Extent> = Vec::new();
        let (mut vcn, mut near) = (from.0, near.map(|lcn| lcn.0));
        while want > 0 {
            let found = self.clusters.take(&mut self.cache, near, want, granule)?;
            match extents.last_mut() {
                Some(last) if last.lcn.map(|lcn| lcn.0.saturating_add(last.len)) == Some(found.start) => {
                    last.len = last.len.saturating_add(found.len);
                }
                _ => extents.push(Extent {
                    vcn: Vcn(vcn),
                    lcn: Some(Lcn(found.start)),
                    len: found.len,
                }),
            }
            vcn = vcn.saturating_add(found.len);
            want = want.saturating_sub(found.len);
            near = Some(found.start.saturating_add(found.len));
        }
        Ok(RunList::from_extents(extents))
    }

    /// The clusters are free once the commit is done.
    pub(crate) fn free_clusters(&mut self, runs: &RunList) {
        for extent in runs.extents() {
            if let Some(lcn) = extent.lcn {
                self.pending.clusters.push(Free {
                    start: lcn.0,
                    len: extent.len,
                });
            }
        }
    }
}
