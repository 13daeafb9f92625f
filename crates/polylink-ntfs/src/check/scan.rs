//! The phases of the audit, and the passes over the table and the indexes.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};

use super::clusters::{Clusters, Span};
use super::issue::{Issue, IssueKind};
use super::names::{Dispute, Key, SeenEntry, SeenName};
use super::parallel::in_order;
use super::states::State;
use super::{Audit, Directory, Outcome, Part, graph, secure, views};
use crate::fixup;
use crate::layout::attribute::AttributeKind;
use crate::record::{Body, Record};
use crate::runs::RunList;
use crate::units::{FileReference, RecordNumber, Vcn};

/// Bytes of the table that are read at once: what fits a processor's second cache.
const CHUNK: u64 = 256 << 10;
/// Chunks that a thread takes at once, so that threads seldom wait for each other.
const CHUNKS: u64 = 16;
/// Directories, or files with a list, that a thread takes at once.
const GROUP: usize = 16;
/// Disputed files that are looked at in one more pass over the volume.
const DISPUTES: usize = 65_536;
/// Clusters used twice whose records are named.
const NAMED_SPANS: usize = 1024;
/// Records that are named for clusters that are used twice.
const NAMED_OWNERS: usize = 4;
/// How often all clusters of a volume may be claimed before the claims are no longer looked at.
const MOST_CLAIMS: u64 = 16;

/// What the passes before leave for those behind.
#[derive(Debug, Default)]
struct Left {
    directories: Vec<Directory>,
    listed: Vec<RecordNumber>,
    parents: Vec<(RecordNumber, FileReference)>,
    extensions: Vec<(RecordNumber, FileReference)>,
    held_outside: Vec<(RecordNumber, Span)>,
    clusters: Clusters,
    lost: bool,
    secure: secure::Seen,
    views: views::Seen,
    /// Extension records that belong to no file.
    strays: HashSet<RecordNumber>,
}

impl Left {
    fn take(&mut self, audit: &Audit<'_>, mut part: Part, outcome: &mut Outcome<'_>) {
        outcome.take(&mut part);
        self.directories.append(&mut part.directories);
        self.listed.append(&mut part.listed);
        self.parents.append(&mut part.parents);
        self.extensions.append(&mut part.extensions);
        self.lost |= part.lost;
        self.held_outside.append(&mut part.held_outside);
        self.secure.take(std::mem::take(&mut part.secure));
        self.views.take(std::mem::take(&mut part.views));
        for span in part.spans {
            self.claim(audit, span);
        }
    }

    fn claim(&mut self, audit: &Audit<'_>, span: Span) {
        let most = audit.device_clusters.saturating_mul(MOST_CLAIMS);
        // clusters behind the end of the device were told of as a whole
        let end = span.end().min(audit.device_clusters);
        let count = end.saturating_sub(span.first);
        if count > 0 && self.clusters.marked() < most {
            self.clusters.mark(Span { count, ..span });
        }
    }
}

pub(super) fn run(audit: &Audit<'_>, outcome: &mut Outcome<'_>) {
    let mut part = Part::default();
    audit.notes(&mut part);
    if let Some(geometry) = audit.volume.geometry() {
        audit.boot_copy(geometry, &mut part);
    }
    audit.volume_file(&mut part);
    audit.upcase_file(&mut part);
    outcome.take(&mut part);

    let mut left = Left::default();
    let records = audit.states.len();
    audit.phase("records", records, |audit| {
        in_order(
            audit.pieces(),
            Vec::new,
            |piece, buffer| audit.read_piece(piece, buffer),
            |part| left.take(audit, part, outcome),
        );
    });
    audit.phase("attribute lists", length(&left.listed), |audit| {
        let listed = std::mem::take(&mut left.listed);
        audit.groups(
            &listed,
            |&number, part| audit.listed(number, part),
            |part| {
                left.take(audit, part, outcome);
            },
        );
        let mut part = Part::default();
        let mut unlisted: HashMap<FileReference, Vec<RecordNumber>> = HashMap::new();
        for &(number, base) in &left.extensions {
            if audit.extension(number, base, &mut part) {
                unlisted.entry(base).or_default().push(number);
            }
        }
        for (base, numbers) in unlisted {
            if audit.are_strays(base, &numbers) {
                left.strays.extend(numbers);
            }
        }
        for (number, span) in std::mem::take(&mut left.held_outside) {
            if !left.strays.contains(&number) {
                left.claim(audit, span);
            }
        }
        outcome.take(&mut part);
    });
    left.directories
        .sort_unstable_by_key(|directory| (directory.place, directory.record));
    audit.phase("directories", length(&left.directories), |audit| {
        audit.groups(
            &left.directories,
            |directory, part| audit.indexes(directory.record, part),
            |mut part| {
                left.secure.take(std::mem::take(&mut part.secure));
                outcome.take(&mut part);
            },
        );
    });
    if audit.progress.cancelled() {
        return;
    }
    if audit.volume.geometry().is_some() {
        audit.secure(std::mem::take(&mut left.secure), &mut part);
        audit.views(std::mem::take(&mut left.views), &left.strays, &mut part);
    }
    audit.root(&mut part);
    if let Some(geometry) = audit.volume.geometry() {
        audit.mirror(geometry, &mut part);
    }
    audit.record_bitmap(&mut part, outcome);
    outcome.take(&mut part);
    outcome.summary.clusters = left.clusters.used();
    if audit.volume.geometry().is_some() {
        let lost = left.lost || part.lost;
        audit.cluster_bitmap(&left.clusters, lost, &mut part, outcome);
        audit.twice(&left.clusters, &mut part);
        outcome.take(&mut part);
    }
    graph::judge(std::mem::take(&mut left.parents), &mut part);
    outcome.take(&mut part);
    audit.link_counts(outcome);
    audit.disputes(outcome);
}

fn length<T>(list: &[T]) -> u64 {
    u64::try_from(list.len()).unwrap_or(u64::MAX)
}

impl Audit<'_> {
    fn phase(&self, name: &'static str, steps: u64, work: impl FnOnce(&Self)) {
        if !self.progress.cancelled() {
            self.progress.begin(name, Some(steps));
            work(self);
            self.progress.end();
        }
    }

    /// Does some work for each of many things, on several threads.
    fn groups<T: Sync>(&self, things: &[T], each: impl Fn(&T, &mut Part) + Sync, take: impl FnMut(Part)) {
        let groups: Vec<_> = things.chunks(GROUP).collect();
        in_order(
            length(&groups),
            || (),
            |group, ()| {
                let mut part = Part::default();
                let things = usize::try_from(group).ok().and_then(|at| groups.get(at));
                for thing in things.into_iter().copied().flatten() {
                    if self.progress.cancelled() {
                        break;
                    }
                    each(thing, &mut part);
                    self.progress.advance(1);
                }
                part
            },
            take,
        );
    }

    /// Records in a chunk.
    fn chunk(&self) -> u64 {
        let size = u64::from(self.volume.record_size());
        CHUNK.checked_div(size).unwrap_or(1).max(1)
    }

    /// Pieces of the table that threads take.
    fn pieces(&self) -> u64 {
        self.states.len().div_ceil(self.chunk().saturating_mul(CHUNKS))
    }

    fn read_piece(&self, piece: u64, buffer: &mut Vec<u8>) -> Part {
        let mut part = Part::default();
        let unreadable = self.each_record(piece, buffer, |number, bytes| {
            self.record(number, bytes, &mut part);
        });
        for number in unreadable {
            let kind = IssueKind::Unreadable {
                expected: u64::from(self.volume.record_size()),
                found: 0,
            };
            part.issues.push(Issue::new(kind).in_record(number));
            part.lost = true;
            // it may be in use and a directory; nothing that has to do with it can be called wrong
            let unknown = State::IN_USE | State::DIRECTORY | State::DAMAGED | State::UNSEEN;
            self.states.mark(number, unknown);
        }
        part
    }

    /// Hands over the records of a piece as they are on disk; answers those that could not be read.
    fn each_record(
        &self,
        piece: u64,
        buffer: &mut Vec<u8>,
        mut each: impl FnMut(RecordNumber, &mut [u8]),
    ) -> Vec<RecordNumber> {
        let mut unreadable = Vec::new();
        let first = piece.saturating_mul(CHUNKS);
        for chunk in first..first.saturating_add(CHUNKS) {
            if self.progress.cancelled() {
                break;
            }
            self.each_of_chunk(chunk, buffer, &mut each, &mut unreadable);
        }
        unreadable
    }

    fn each_of_chunk(
        &self,
        chunk: u64,
        buffer: &mut Vec<u8>,
        each: &mut impl FnMut(RecordNumber, &mut [u8]),
        unreadable: &mut Vec<RecordNumber>,
    ) {
        let size = usize::try_from(self.volume.record_size()).unwrap_or(0).max(1);
        let first = chunk.saturating_mul(self.chunk());
        let end = first.saturating_add(self.chunk()).min(self.states.len());
        if first >= end {
            return;
        }
        let count = usize::try_from(end.saturating_sub(first)).unwrap_or(0);
        buffer.resize(size.saturating_mul(count), 0);
        let (table, device) = (self.volume.table(), self.volume.device());
        let together = table.read_bytes(device, RecordNumber(first), buffer).is_ok();
        for (number, bytes) in (first..end).map(RecordNumber).zip(buffer.chunks_exact_mut(size)) {
            // a bad place on the device costs the records in it, not all of the chunk
            if together || table.read_bytes(device, number, bytes).is_ok() {
                each(number, bytes);
            } else {
                unreadable.push(number);
            }
        }
        self.progress.advance(end.saturating_sub(first));
    }

    /// The root must be a directory in itself.
    fn root(&self, part: &mut Part) {
        let seen = self.states.seen(RecordNumber::ROOT);
        let found = match seen {
            None => "beyond the table".to_owned(),
            Some(seen) if seen.state.contains(State::DAMAGED) => "damaged".to_owned(),
            Some(seen) if !seen.state.contains(State::IN_USE) => "not in use".to_owned(),
            Some(seen) if !seen.state.contains(State::DIRECTORY) => "no directory".to_owned(),
            Some(_) => return,
        };
        let kind = IssueKind::Root {
            expected: "a directory",
            found,
        };
        part.issues.push(Issue::new(kind).in_record(RecordNumber::ROOT));
    }

    /// What each base record counts against the names that it has.
    fn link_counts(&self, outcome: &mut Outcome<'_>) {
        let records = (0..self.states.len()).map(RecordNumber);
        for (number, seen) in records.filter_map(|number| Some((number, self.states.seen(number)?))) {
            let plain = State::IN_USE | State::EXTENSION | State::DAMAGED;
            if seen.state.intersection(plain) == State::IN_USE && seen.links != seen.names {
                let kind = IssueKind::LinkCount {
                    expected: seen.names,
                    found: seen.links,
                };
                outcome.take_issue(Issue::new(kind).in_record(number).at(0x12));
            }
        }
    }

    /// Looks again at the files whose names and entries do not agree.
    fn disputes(&self, outcome: &mut Outcome<'_>) {
        let disputed: Vec<_> = (0..self.states.len())
            .map(RecordNumber)
            .filter(|&number| !self.states.agrees(number))
            .collect();
        for window in disputed.chunks(DISPUTES) {
            if self.progress.cancelled() {
                return;
            }
            let mut disputes: HashMap<RecordNumber, Dispute> = window
                .iter()
                .map(|&number| (number, Dispute::default()))
                .collect();
            self.collect_names(&mut disputes);
            let mut part = Part::default();
            for number in window {
                if let Some(dispute) = disputes.remove(number) {
                    self.settle(*number, dispute, &mut part);
                }
            }
            outcome.take(&mut part);
        }
    }

    /// Reads the table, and the indexes of all directories, once more, for the names and entries of some files.
    fn collect_names(&self, disputes: &mut HashMap<RecordNumber, Dispute>) {
        let records = self.states.len();
        let wanted = &*disputes;
        let mut names: Vec<(RecordNumber, SeenName)> = Vec::new();
        let mut entries: Vec<SeenEntry> = Vec::new();
        self.phase("names in dispute", records, |audit| {
            in_order(
                audit.pieces(),
                Vec::new,
                |piece, buffer| {
                    let mut found = (Vec::new(), Vec::new());
                    audit.each_record(piece, buffer, |number, bytes| {
                        audit.disputed(number, bytes, wanted, &mut found.0, &mut found.1);
                    });
                    found
                },
                |(mut more_names, mut more_entries)| {
                    names.append(&mut more_names);
                    entries.append(&mut more_entries);
                },
            );
        });
        for (owner, name) in names {
            disputes.entry(owner).or_default().names.push(name);
        }
        for entry in entries {
            disputes
                .entry(entry.file.record())
                .or_default()
                .entries
                .push(entry);
        }
    }

    fn disputed(
        &self,
        number: RecordNumber,
        bytes: &mut [u8],
        wanted: &HashMap<RecordNumber, Dispute>,
        names: &mut Vec<(RecordNumber, SeenName)>,
        entries: &mut Vec<SeenEntry>,
    ) {
        let in_use = bytes.get(0x16).is_some_and(|flags| flags & 1 != 0);
        if !bytes.starts_with(b"FILE") || !in_use || fixup::undo(bytes, *b"FILE").is_err() {
            return;
        }
        let Ok(record) = Record::parsed(number, bytes) else {
            return;
        };
        let owner = record.base().unwrap_or(record.reference()).record();
        let mut is_directory = false;
        for attribute in record.attributes().flatten() {
            is_directory |= attribute.kind() == AttributeKind::INDEX_ROOT;
            if attribute.kind() == AttributeKind::FILE_NAME
                && wanted.contains_key(&owner)
                && let Some(key) = attribute.resident().and_then(|value| Key::parse(value).ok())
            {
                names.push((
                    owner,
                    SeenName {
                        record: number,
                        offset: u64::try_from(attribute.offset()).unwrap_or(u64::MAX),
                        key: key.owned(),
                    },
                ));
            }
        }
        if record.base().is_none() && (is_directory || record.is_directory()) {
            let mut ignored = Part::default();
            let own = record.reference();
            self.each_index(number, &mut ignored, false, &mut |file, key, spot| {
                if wanted.contains_key(&file.record()) {
                    let mut key = key.owned();
                    key.parent = own;
                    entries.push(SeenEntry { file, key, spot });
                }
            });
        }
    }

    /// Names the records that share clusters.
    fn twice(&self, clusters: &Clusters, part: &mut Part) {
        let twice = clusters.twice();
        if twice.is_empty() {
            return;
        }
        let named = twice.get(..twice.len().min(NAMED_SPANS)).unwrap_or_default();
        let mut owners: Vec<Vec<u64>> = vec![Vec::new(); named.len()];
        let stop = AtomicBool::new(false);
        self.phase("clusters used twice", self.states.len(), |audit| {
            in_order(
                audit.pieces(),
                Vec::new,
                |piece, buffer| {
                    let mut found = Vec::new();
                    if !stop.load(Ordering::Relaxed) {
                        audit.each_record(piece, buffer, |number, bytes| {
                            audit.claims(number, bytes, named, &mut found);
                        });
                    }
                    found
                },
                |found| {
                    for (at, number) in found {
                        let known = owners.get_mut(at);
                        if let Some(known) = known.filter(|known| known.len() < NAMED_OWNERS)
                            && known.last() != Some(&number)
                        {
                            known.push(number);
                        }
                    }
                    stop.store(
                        owners.iter().all(|known| known.len() >= NAMED_OWNERS),
                        Ordering::Relaxed,
                    );
                },
            );
        });
        for (at, span) in twice.iter().enumerate() {
            let owners = owners.get(at).map(Vec::as_slice).unwrap_or_default();
            let owners: Vec<_> = owners.iter().map(u64::to_string).collect();
            let kind = IssueKind::ClusterTwice {
                expected: "used once",
                found: span.first,
                count: span.count,
                owners: owners.join(", "),
            };
            part.issues.push(Issue::new(kind));
        }
    }

    /// Which of some spans the values of a record lie in.
    fn claims(&self, number: RecordNumber, bytes: &mut [u8], spans: &[Span], found: &mut Vec<(usize, u64)>) {
        let in_use = bytes.get(0x16).is_some_and(|flags| flags & 1 != 0);
        if !bytes.starts_with(b"FILE") || !in_use || fixup::undo(bytes, *b"FILE").is_err() {
            return;
        }
        let Ok(record) = Record::parsed(number, bytes) else {
            return;
        };
        for attribute in record.attributes().flatten() {
            let Body::NonResident(value) = attribute.body() else {
                continue;
            };
            let Ok(runs) = RunList::decode(value.runs, Vcn(0), self.limit) else {
                continue;
            };
            for (lcn, len) in runs
                .extents()
                .iter()
                .filter_map(|run| Some((run.lcn?.0, run.len)))
            {
                let start = spans.partition_point(|span| span.end() <= lcn);
                let end = lcn.saturating_add(len);
                let rest = spans.iter().enumerate().skip(start);
                found.extend(
                    rest.take_while(|(_, span)| span.first < end)
                        .map(|(at, _)| (at, number.0)),
                );
            }
        }
    }
}
