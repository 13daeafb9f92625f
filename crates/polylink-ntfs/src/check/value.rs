//! Values in clusters: their runs, their sizes, and whose clusters they are.

use super::clusters::Span;
use super::issue::{Issue, IssueKind};
use super::{Audit, Part, corrupt};
use crate::layout::attribute::AttributeFlags;
use crate::record::{Attribute, NonResident};
use crate::runs::RunList;
use crate::units::{RecordNumber, Vcn};

/// The sizes that the first part of a value tells of the whole of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sizes {
    allocated: u64,
    total: Option<u64>,
}

impl Sizes {
    pub(super) fn of(attribute: &Attribute<'_>, value: &NonResident<'_>) -> Self {
        let flags = AttributeFlags::COMPRESSION_MASK | AttributeFlags::SPARSE;
        Self {
            allocated: value.header.allocated.get(),
            total: value
                .total_allocated
                .filter(|_| attribute.flags().intersects(flags)),
        }
    }

    /// Whether the clusters are those that the sizes tell of.
    pub(super) fn judge(self, end: u64, held: u64, cluster: u32, mut complain: impl FnMut(IssueKind)) {
        let bytes = |clusters: u64| clusters.saturating_mul(u64::from(cluster));
        if self.allocated != bytes(end) {
            complain(IssueKind::AllocatedSize {
                expected: bytes(end),
                found: self.allocated,
            });
        }
        if let Some(found) = self.total.filter(|&total| total != bytes(held)) {
            complain(IssueKind::TotalAllocated {
                expected: bytes(held),
                found,
            });
        }
    }
}

impl Audit<'_> {
    /// Looks at the runs of a value, or of a part of one. `whole` where it can have no other parts.
    pub(super) fn value(
        &self,
        record: RecordNumber,
        attribute: &Attribute<'_>,
        value: &NonResident<'_>,
        whole: bool,
        part: &mut Part,
    ) {
        let offset = u64::try_from(attribute.offset()).unwrap_or(u64::MAX);
        let issue = |kind| Issue::new(kind).in_record(record).at(offset);
        let lowest = value.header.lowest_vcn.get();
        if value.has_left_runs {
            part.issues.push(issue(IssueKind::RunsLeft {
                expected: "no runs",
                found: "runs",
            }));
        }
        let runs = match RunList::decode(value.runs, Vcn(lowest), self.limit) {
            Ok(runs) => runs,
            Err(found) => {
                part.lost = true;
                part.issues.push(issue(corrupt::kind_of(&found)));
                return;
            }
        };
        for extent in runs.extents() {
            if let Some(lcn) = extent.lcn {
                part.spans.push(Span {
                    first: lcn.0,
                    count: extent.len,
                });
            }
        }
        let end = runs.end().0.max(lowest);
        // the highest cluster of a value without clusters is -1
        let wanted = value.header.highest_vcn.get().wrapping_add(1);
        if end != wanted {
            part.issues.push(issue(IssueKind::RunsEnd {
                expected: wanted,
                found: end,
            }));
        } else if whole {
            if lowest != 0 {
                part.issues.push(issue(IssueKind::RunsGap {
                    expected: 0,
                    found: lowest,
                }));
            } else if self.cluster != 0 {
                Sizes::of(attribute, value).judge(end, runs.allocated(), self.cluster, |kind| {
                    part.issues.push(issue(kind));
                });
            }
        }
    }

    /// Where a value begins on the volume; 0 where that cannot be said.
    pub(super) fn first_cluster(&self, value: &NonResident<'_>) -> u64 {
        RunList::decode(value.runs, Vcn(0), self.limit)
            .ok()
            .and_then(|runs| runs.extents().first()?.lcn)
            .map_or(0, |lcn| lcn.0)
    }
}
