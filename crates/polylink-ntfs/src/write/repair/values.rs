//! Values in clusters: clusters that two values have, lists of attributes, bitmaps that are too short.

use super::super::attributes::{self, Part, Sizes};
use super::super::bits::{Bits, Free};
use super::super::bytes::{size, wide};
use super::super::cache::Class;
use super::super::files::{Held, ValuePlace};
use super::super::lists::encode;
use super::super::open::Writer;
use super::super::state::State;
use super::Target;
use crate::error::{Error, Result};
use crate::file::ListEntry;
use crate::fix::{Step, StepKind};
use crate::layout::attribute::{AttributeFlags, AttributeKind};
use crate::record::{Attribute, Body, Record};
use crate::runs::{Extent, RunList};
use crate::units::{RecordNumber, Vcn};

/// Bytes that are copied at once.
const AT_ONCE: u64 = 1 << 20;

/// Clusters of a value that another value has too.
#[derive(Clone, Debug)]
pub(crate) struct Shared {
    /// The file.
    pub(crate) base: RecordNumber,
    /// The record that tells of the clusters.
    pub(crate) record: RecordNumber,
    /// The number of the attribute there.
    pub(crate) id: u16,
    /// First cluster of the value, and how many.
    pub(crate) pieces: Vec<(u64, u64)>,
    /// The records that keep the clusters.
    pub(crate) kept_by: String,
}

/// One value, as its parts tell: where each begins and ends, and the bytes that the first says are allocated.
type Parts = Vec<(Vcn, Vcn, u64)>;

impl State {
    /// Gives a value clusters of its own, with the same bytes in them.
    fn unshare(&mut self, shared: &Shared) -> Result<Vec<Step>> {
        let Target::File { is_directory, .. } = self.target(shared.base)? else {
            return Ok(Vec::new());
        };
        let clusters = self.geometry.clusters;
        let bytes = self.record(shared.record)?;
        let attribute = attributes::offset_of_id(bytes, shared.id)
            .and_then(|at| attributes::attribute_at(bytes, at))
            .and_then(Attribute::parse_one);
        let Some((attribute, Body::NonResident(part))) =
            attribute.map(|attribute| (attribute, attribute.body()))
        else {
            return Ok(Vec::new());
        };
        let kind = attribute.kind();
        if shared.base < RecordNumber::FIRST_SPARE || kind == AttributeKind::ATTRIBUTE_LIST {
            return Ok(Vec::new());
        }
        let (name, flags) = (attribute.name(), attribute.flags());
        let (unit, lowest) = (part.header.compression_unit, Vcn(part.header.lowest_vcn.get()));
        let sizes = Sizes {
            allocated: part.header.allocated.get(),
            size: part.header.size.get(),
            initialized: part.header.initialized.get(),
            total: part.total_allocated,
        };
        let mut rest = part.decode(clusters)?;
        let mut runs = RunList::default();
        let mut steps = Vec::new();
        for &(first, count) in &shared.pieces {
            let mut from = rest.cut(Vcn(first));
            runs.extend(&rest);
            rest = from.cut(Vcn(first.saturating_add(count)));
            let own = self.take_clusters(count, None, 1, Vcn(first))?;
            self.copy_shared(&from, &own)?;
            runs.extend(&own);
            for extent in from.extents() {
                let lcn = extent.lcn.map_or(0, |lcn| lcn.0);
                let called = match String::from_utf16_lossy(&name) {
                    name if name.is_empty() => kind.to_string(),
                    name => format!("{kind}:{}", name.escape_debug()),
                };
                steps.push(Step::new(
                    StepKind::CopyClusters,
                    shared.base,
                    format!("{} clusters of {called} from {} on", extent.len, extent.vcn.0),
                    format!("cluster {lcn}, which record {} has too", shared.kept_by),
                    "a copy in clusters of its own",
                ));
            }
        }
        runs.extend(&rest);
        let attribute = attributes::non_resident(&Part {
            kind,
            name: &name,
            flags,
            unit,
            runs: &runs,
            lowest,
            sizes,
        });
        let held = Held {
            record: shared.record,
            id: shared.id,
        };
        let class = if is_directory {
            Class::Directory
        } else {
            self.base_class
        };
        self.directories.retain(|(number, _), _| *number != shared.base);
        self.replace_attribute(shared.base, held, &attribute, class)?;
        Ok(steps)
    }

    /// Copies what clusters hold to as many others.
    fn copy_shared(&mut self, from: &RunList, to: &RunList) -> Result<()> {
        let cluster = u64::from(self.geometry.cluster);
        for extent in from.extents() {
            let Some(lcn) = extent.lcn else { continue };
            let mut done = 0_u64;
            while done < extent.len {
                let vcn = Vcn(extent.vcn.0.saturating_add(done));
                let Some(target) = to.find(vcn) else { break };
                let inside = vcn.0.saturating_sub(target.vcn.0);
                let most = AT_ONCE.checked_div(cluster).unwrap_or(1).max(1);
                let count = target.len.saturating_sub(inside);
                let count = count.min(extent.len.saturating_sub(done)).min(most);
                let mut bytes = vec![0; size(count.saturating_mul(cluster))];
                let offset = lcn.0.saturating_add(done).saturating_mul(cluster);
                self.cache
                    .read_through(offset, &mut bytes)
                    .map_err(|source| Error::Device {
                        action: "read",
                        offset,
                        len: wide(bytes.len()),
                        source,
                    })?;
                let place = target.lcn.map_or(0, |lcn| lcn.0).saturating_add(inside);
                self.cache.write_content(place.saturating_mul(cluster), &bytes)?;
                done = done.saturating_add(count);
            }
        }
        Ok(())
    }

    /// Makes the attribute list of a file anew from the records that say they belong to it.
    fn rebuild_list(&mut self, base: RecordNumber, extensions: &[RecordNumber]) -> Result<Vec<Step>> {
        let Target::File { is_directory, .. } = self.target(base)? else {
            return Ok(Vec::new());
        };
        let (old, readable) = match self.list_entries(base) {
            Ok(old) => (old, true),
            Err(Error::Corrupt(_)) => (None, false),
            Err(error) => return Err(error),
        };
        let mut entries = None;
        if readable {
            // a power cut leaves copies of what the list names: then the list is right
            let named = |number: &RecordNumber| {
                let mut entries = old.iter().flatten();
                entries.any(|entry| entry.record.record() == *number)
            };
            let named: Vec<RecordNumber> = extensions.iter().copied().filter(named).collect();
            let count = usize::from(attributes::raw_links(self.record(base)?));
            entries = self.whole_file(base, &named)?.filter(|entries| {
                let names = entries
                    .iter()
                    .filter(|entry| entry.kind == AttributeKind::FILE_NAME);
                names.count() == count
            });
        }
        if entries.is_none() {
            entries = self.whole_file(base, extensions)?;
        }
        let Some(entries) = entries.filter(|entries| Some(entries) != old.as_ref()) else {
            return Ok(Vec::new());
        };
        let outside = entries
            .iter()
            .filter(|entry| entry.record.record() != base)
            .count();
        if readable && old.is_none() && outside == 0 {
            return Ok(Vec::new());
        }
        let class = if is_directory {
            Class::Directory
        } else {
            self.base_class
        };
        let clusters = self.geometry.clusters;
        let bytes = self.record(base)?;
        let list = attributes::attributes(bytes)
            .flatten()
            .find(|attribute| attribute.kind() == AttributeKind::ATTRIBUTE_LIST);
        let found = list.map(|list| {
            let runs = match list.body() {
                Body::NonResident(part) => part.decode(clusters).ok(),
                Body::Resident { .. } => None,
            };
            (list.offset(), runs)
        });
        if let Some((at, runs)) = found {
            if let Some(runs) = runs {
                self.free_clusters(&runs);
            }
            attributes::remove(self.record_mut(base, class)?, at);
        }
        if outside > 0 {
            self.insert_list(base, &entries, class)?;
        }
        self.hints.remove(&base);
        self.directories.retain(|(number, _), _| *number != base);
        Ok(vec![Step::new(
            StepKind::RebuildList,
            base,
            "the attribute list".to_owned(),
            "not what the records hold",
            format!(
                "made anew: {} attributes, {outside} of them outside the record",
                entries.len()
            ),
        )])
    }

    /// The list of a file that is made of these records; `None` where they contradict each other, or something is missing.
    fn whole_file(
        &mut self,
        base: RecordNumber,
        extensions: &[RecordNumber],
    ) -> Result<Option<Vec<ListEntry>>> {
        let upcase = self.upcase.clone();
        let clusters = self.geometry.clusters;
        let mut found: Vec<(ListEntry, Option<(Vcn, u64)>)> = Vec::new();
        for &number in [base].iter().chain(extensions) {
            let record = self.reference(number)?;
            let bytes = self.record(number)?;
            for attribute in attributes::attributes(bytes) {
                let Ok(attribute) = attribute else { return Ok(None) };
                let kind = attribute.kind();
                if kind == AttributeKind::ATTRIBUTE_LIST {
                    continue;
                }
                let part = match attribute.body() {
                    Body::Resident { .. } => None,
                    Body::NonResident(part) => {
                        let Ok(runs) = part.decode(clusters) else {
                            return Ok(None);
                        };
                        let lowest = part.header.lowest_vcn.get();
                        Some((Vcn(runs.end().0.max(lowest)), part.header.allocated.get()))
                    }
                };
                let entry = ListEntry {
                    kind,
                    name: attribute.name(),
                    lowest: attributes::lowest(&attribute),
                    record,
                    id: attribute.id(),
                };
                found.push((entry, part));
            }
        }
        found.sort_by(|(a, _), (b, _)| {
            attributes::order(&upcase, (a.kind, &a.name, a.lowest), (b.kind, &b.name, b.lowest))
        });
        let mut values: Vec<(&ListEntry, Option<Parts>)> = Vec::new();
        for (entry, part) in &found {
            let part = part.map(|(end, allocated)| (entry.lowest, end, allocated));
            match values.last_mut() {
                Some((last, parts)) if last.kind == entry.kind && upcase.same(&last.name, &entry.name) => {
                    match (parts, part) {
                        (Some(parts), Some(part)) => parts.push(part),
                        (None, None) if entry.kind == AttributeKind::FILE_NAME => {}
                        _ => return Ok(None),
                    }
                }
                _ => values.push((entry, part.map(|part| vec![part]))),
            }
        }
        let cluster = u64::from(self.geometry.cluster);
        let whole = |parts: &Parts| {
            let mut end = Vcn(0);
            for (lowest, after, _) in parts {
                if *lowest != end {
                    return false;
                }
                end = *after;
            }
            parts
                .first()
                .is_some_and(|first| first.2 == end.0.saturating_mul(cluster))
        };
        let sound = values.iter().all(|(_, parts)| parts.as_ref().is_none_or(whole));
        let has = |kind| values.iter().any(|(entry, _)| entry.kind == kind);
        let needed = has(AttributeKind::STANDARD_INFORMATION)
            && has(AttributeKind::FILE_NAME)
            && (has(AttributeKind::DATA)
                || has(AttributeKind::INDEX_ROOT)
                || base < RecordNumber::FIRST_USER);
        if !sound || !needed {
            return Ok(None);
        }
        let entries: Vec<ListEntry> = found.into_iter().map(|(entry, _)| entry).collect();
        Ok(Some(entries).filter(|entries| encode(entries).len() <= super::super::lists::LIMIT))
    }

    /// Makes a bitmap as long as it has to be. What it did not tell of counts as used, until the audit knows better.
    fn lengthen_bitmap(&mut self, base: RecordNumber) -> Result<Vec<Step>> {
        let (kind, count) = match base {
            RecordNumber::MFT => (AttributeKind::BITMAP, self.records),
            RecordNumber::BITMAP => (AttributeKind::DATA, self.geometry.clusters),
            _ => return Ok(Vec::new()),
        };
        let place = self.value(base, kind, &[])?.map(|value| value.place);
        let Some(ValuePlace::Clusters(mut runs, mut sizes)) = place else {
            return Ok(Vec::new());
        };
        let (old, want) = (sizes.size, count.div_ceil(64).saturating_mul(8));
        if old >= count.div_ceil(8) {
            return Ok(Vec::new());
        }
        if want > sizes.allocated {
            let missing = self.geometry.clusters_for(want.saturating_sub(sizes.allocated));
            let more = self.take_clusters(missing.max(1), None, 1, runs.end())?;
            runs.extend(&more);
            sizes.allocated = runs.end().0.saturating_mul(u64::from(self.geometry.cluster));
        }
        let mut bits = Bits::new(runs.clone(), self.geometry.cluster, want.saturating_mul(8), 0);
        let unknown = Free {
            start: old.saturating_mul(8),
            len: want.saturating_sub(old).saturating_mul(8),
        };
        bits.set(&mut self.cache, unknown, true, Class::Allocate)?;
        sizes.size = want;
        sizes.initialized = want;
        let part = Part {
            kind,
            name: &[],
            flags: AttributeFlags::empty(),
            unit: 0,
            runs: &runs,
            lowest: Vcn(0),
            sizes,
        };
        let class = self.base_class;
        self.set_clusters(base, &part, class)?;
        match base {
            RecordNumber::MFT => self.record_bits.grow(runs, count),
            _ => self.clusters.grow(runs, count),
        }
        Ok(vec![Step::new(
            StepKind::LengthenBitmap,
            base,
            "the bitmap".to_owned(),
            format!("{old} bytes"),
            format!("{want} bytes"),
        )])
    }
}

/// A value that has clusters in some spans: the file, the record and number of the attribute, and the extents.
type Claimed = (RecordNumber, RecordNumber, u16, Vec<Extent>);

/// Who has which of the clusters that are used more than once.
#[derive(Debug)]
pub(crate) struct Claims<'s> {
    spans: &'s [(u64, u64)],
    values: Vec<Claimed>,
}

impl<'s> Claims<'s> {
    /// Nobody yet has any of the spans: first cluster, and how many.
    pub(crate) fn new(spans: &'s [(u64, u64)]) -> Self {
        Self {
            spans,
            values: Vec::new(),
        }
    }

    /// Takes in what a record tells of.
    pub(crate) fn collect(&mut self, record: &Record<'_>, clusters: u64) {
        let base = record.base().unwrap_or(record.reference()).record();
        for attribute in record.attributes().flatten() {
            let Body::NonResident(part) = attribute.body() else {
                continue;
            };
            let Ok(runs) = part.decode(clusters) else { continue };
            let concerned = |extent: &&Extent| self.spans.iter().any(|span| overlap(extent, *span).is_some());
            let extents: Vec<Extent> = runs.extents().iter().filter(concerned).copied().collect();
            if !extents.is_empty() {
                self.values.push((base, record.number(), attribute.id(), extents));
            }
        }
    }

    /// Which clusters are to be copied: those of whoever comes later than another. The volume's own files keep what they
    /// have, and of others the one in the lower record.
    pub(crate) fn shared(mut self) -> Vec<Shared> {
        self.values
            .sort_by_key(|(base, record, id, _)| (*base, *record, *id));
        let mut claimed: Vec<(u64, u64, RecordNumber)> = Vec::new();
        let mut found = Vec::new();
        for (base, record, id, extents) in &self.values {
            let mut mine = Shared {
                base: *base,
                record: *record,
                id: *id,
                pieces: Vec::new(),
                kept_by: String::new(),
            };
            for extent in extents {
                for part in self.spans.iter().filter_map(|span| overlap(extent, *span)) {
                    claim(part, extent, *base, &mut claimed, &mut mine);
                }
            }
            mine.pieces.sort_unstable();
            if !mine.pieces.is_empty() {
                found.push(mine);
            }
        }
        found
    }
}

/// The part of an extent that lies in a span of clusters: first cluster and the one behind the last.
fn overlap(extent: &Extent, (first, count): (u64, u64)) -> Option<(u64, u64)> {
    let lcn = extent.lcn?.0;
    let start = lcn.max(first);
    let end = lcn.saturating_add(extent.len).min(first.saturating_add(count));
    (start < end).then_some((start, end))
}

/// Claims clusters, and notes those that somebody has.
fn claim(
    (start, end): (u64, u64),
    extent: &Extent,
    base: RecordNumber,
    claimed: &mut Vec<(u64, u64, RecordNumber)>,
    mine: &mut Shared,
) {
    let lcn = extent.lcn.map_or(0, |lcn| lcn.0);
    let mut free = vec![(start, end)];
    for &(from, to, owner) in claimed.iter() {
        let mut left = Vec::new();
        for (start, end) in free {
            let (low, high) = (start.max(from), end.min(to));
            if low >= high {
                left.push((start, end));
                continue;
            }
            let vcn = extent.vcn.0.saturating_add(low.saturating_sub(lcn));
            mine.pieces.push((vcn, high.saturating_sub(low)));
            mine.kept_by = owner.to_string();
            left.extend([(start, low), (high, end)].into_iter().filter(|(a, b)| a < b));
        }
        free = left;
    }
    claimed.extend(free.into_iter().map(|(start, end)| (start, end, base)));
}

impl Writer {
    /// Gives a value clusters of its own where it shares some.
    pub(crate) fn unshare(&self, shared: &Shared) -> Result<Vec<Step>> {
        self.mend(|inner| inner.state.unshare(shared))
    }

    /// Makes the attribute list of a file anew from its extension records.
    pub(crate) fn rebuild_list(&self, base: RecordNumber, extensions: &[RecordNumber]) -> Result<Vec<Step>> {
        self.mend(|inner| inner.state.rebuild_list(base, extensions))
    }

    /// Makes the bitmap of clusters, or that of records, as long as it has to be.
    pub(crate) fn lengthen_bitmap(&self, base: RecordNumber) -> Result<Vec<Step>> {
        self.mend(|inner| inner.state.lengthen_bitmap(base))
    }
}
