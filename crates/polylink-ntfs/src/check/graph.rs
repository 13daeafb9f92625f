//! Directories in directories: all must lead to the root.

use super::Part;
use super::issue::{Issue, IssueKind};
use crate::units::{FileReference, RecordNumber};

/// What is known of a directory on the way up.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    New,
    OnThisWay,
    Known,
}

/// Finds the circles. `parents` is what each directory says its parent is; one that leads nowhere was told of already.
pub(super) fn judge(mut parents: Vec<(RecordNumber, FileReference)>, part: &mut Part) {
    parents.sort_unstable_by_key(|(record, _)| *record);
    parents.dedup_by_key(|(record, _)| *record);
    let find = |record: RecordNumber| parents.binary_search_by_key(&record, |(record, _)| *record).ok();
    let mut marks = vec![Mark::New; parents.len()];
    for start in 0..parents.len() {
        let mut way = Vec::new();
        let mut at = Some(start);
        while let Some(index) = at {
            let Some(mark) = marks.get_mut(index) else {
                break;
            };
            match mark {
                Mark::Known => break,
                Mark::OnThisWay => {
                    circle(&parents, &way, index, part);
                    break;
                }
                Mark::New => {
                    *mark = Mark::OnThisWay;
                    way.push(index);
                }
            }
            at = parents
                .get(index)
                .filter(|(record, _)| *record != RecordNumber::ROOT)
                .and_then(|(_, parent)| find(parent.record()));
        }
        for index in way {
            if let Some(mark) = marks.get_mut(index) {
                *mark = Mark::Known;
            }
        }
    }
}

/// Reports the circle that a way ended in, by its lowest record.
fn circle(parents: &[(RecordNumber, FileReference)], way: &[usize], entered: usize, part: &mut Part) {
    let members = way.iter().skip_while(|&&index| index != entered);
    let count = u64::try_from(members.clone().count()).unwrap_or(u64::MAX);
    let lowest = members.min().and_then(|&index| parents.get(index));
    if let Some(&(record, parent)) = lowest {
        let kind = IssueKind::Cycle {
            expected: RecordNumber::ROOT,
            found: parent,
            count,
        };
        part.issues.push(Issue::new(kind).in_record(record));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn issues(parents: &[(u64, u64)]) -> Vec<(u64, String)> {
        let parents = parents
            .iter()
            .map(|&(record, parent)| (RecordNumber(record), FileReference(parent)));
        let mut part = Part::default();
        judge(parents.collect(), &mut part);
        let issues = part.issues.iter();
        issues
            .map(|issue| (issue.record.unwrap().0, issue.kind.to_string()))
            .collect()
    }

    #[test]
    fn each_circle_is_told_once() {
        assert_eq!(issues(&[(5, 5), (30, 5), (31, 30), (32, 99)]), []);
        let found = issues(&[(5, 5), (30, 33), (31, 30), (33, 31), (40, 31), (50, 50), (60, 40)]);
        assert_eq!(
            found.iter().map(|(record, _)| *record).collect::<Vec<_>>(),
            [30, 50]
        );
        assert!(found[0].1.starts_with("3 directories"), "{found:?}");
    }
}
