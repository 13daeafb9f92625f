//! Who has a file open, and whether one more may.

use super::access::{Access, Share};
use crate::NtStatus;

/// One open, as share modes see it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Sharing {
    /// The rights that were granted.
    pub access: Access,
    /// What others may do meanwhile.
    pub share: Share,
}

impl Sharing {
    /// Everything shared.
    #[must_use]
    pub const fn with_all(access: Access) -> Self {
        Self {
            access,
            share: Share::all(),
        }
    }

    /// Nothing shared.
    #[must_use]
    pub const fn alone(access: Access) -> Self {
        Self {
            access,
            share: Share::empty(),
        }
    }

    fn takes_part(self) -> bool {
        self.access.intersects(Access::SHARED)
    }

    fn reads(self) -> bool {
        self.access.intersects(Access::READ_DATA | Access::EXECUTE)
    }

    fn writes(self) -> bool {
        self.access.intersects(Access::WRITE_DATA | Access::APPEND_DATA)
    }

    fn deletes(self) -> bool {
        self.access.contains(Access::DELETE)
    }
}

/// The opens of a file, a stream or a directory, summed up.
///
/// Adding, removing and checking take the same time however many there are.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Opens {
    handles: u32,
    // Of those that take part in sharing:
    partners: u32,
    readers: u32,
    writers: u32,
    deleters: u32,
    sharing_reads: u32,
    sharing_writes: u32,
    sharing_deletes: u32,
}

impl Opens {
    /// Nobody has it open.
    pub const NONE: Self = Self {
        handles: 0,
        partners: 0,
        readers: 0,
        writers: 0,
        deleters: 0,
        sharing_reads: 0,
        sharing_writes: 0,
        sharing_deletes: 0,
    };

    /// How many handles there are, those for attributes only included.
    #[must_use]
    pub const fn handles(&self) -> u32 {
        self.handles
    }

    /// Whether somebody has it open at all.
    #[must_use]
    pub const fn any(&self) -> bool {
        self.handles > 0
    }

    /// Takes note of an open that was granted.
    pub fn add(&mut self, open: Sharing) {
        self.each(open, |count| *count = count.saturating_add(1));
    }

    /// Takes note that an open closed.
    pub fn remove(&mut self, open: Sharing) {
        self.each(open, |count| *count = count.saturating_sub(1));
    }

    fn each(&mut self, open: Sharing, change: impl Fn(&mut u32)) {
        change(&mut self.handles);
        if !open.takes_part() {
            return;
        }
        let counts = [
            (&mut self.partners, true),
            (&mut self.readers, open.reads()),
            (&mut self.writers, open.writes()),
            (&mut self.deleters, open.deletes()),
            (&mut self.sharing_reads, open.share.contains(Share::READ)),
            (&mut self.sharing_writes, open.share.contains(Share::WRITE)),
            (&mut self.sharing_deletes, open.share.contains(Share::DELETE)),
        ];
        for (count, concerned) in counts {
            if concerned {
                change(count);
            }
        }
    }

    /// Whether one more open gets along with these, each way: what it does must be shared by all of them, and what they
    /// do by it (\[MS-FSA\] 2.1.5.1.2.2).
    ///
    /// # Errors
    ///
    /// `SHARING_VIOLATION`. Never for an open without a right of [`Access::SHARED`].
    pub fn check(&self, wanted: Sharing) -> Result<(), NtStatus> {
        let refused_by_them = (wanted.reads() && self.sharing_reads < self.partners)
            || (wanted.writes() && self.sharing_writes < self.partners);
        let refused_by_it = (self.readers > 0 && !wanted.share.contains(Share::READ))
            || (self.writers > 0 && !wanted.share.contains(Share::WRITE));
        if wanted.takes_part() && (refused_by_them || refused_by_it) {
            return Err(NtStatus::SHARING_VIOLATION);
        }
        self.shared_by(wanted)?;
        self.share_deletion(wanted)
    }

    /// The part of [`Self::check`] for these who delete and an open that does not share it.
    pub(super) fn shared_by(&self, wanted: Sharing) -> Result<(), NtStatus> {
        if wanted.takes_part() && self.deleters > 0 && !wanted.share.contains(Share::DELETE) {
            return Err(NtStatus::SHARING_VIOLATION);
        }
        Ok(())
    }

    /// The part of [`Self::check`] for an open that deletes and these that do not share it.
    pub(super) fn share_deletion(&self, wanted: Sharing) -> Result<(), NtStatus> {
        if wanted.deletes() && self.sharing_deletes < self.partners {
            return Err(NtStatus::SHARING_VIOLATION);
        }
        Ok(())
    }
}

impl FromIterator<Sharing> for Opens {
    fn from_iter<I: IntoIterator<Item = Sharing>>(opens: I) -> Self {
        let mut all = Self::NONE;
        for open in opens {
            all.add(open);
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MODES: [Access; 7] = [
        Access::READ_DATA,
        Access::EXECUTE,
        Access::WRITE_DATA,
        Access::APPEND_DATA,
        Access::DELETE,
        Access::READ_ATTRIBUTES,
        Access::SYNCHRONIZE,
    ];

    /// What a mode needs others to share; nothing for one that takes no part.
    fn needs(access: Access) -> Share {
        match access {
            Access::READ_DATA | Access::EXECUTE => Share::READ,
            Access::WRITE_DATA | Access::APPEND_DATA => Share::WRITE,
            Access::DELETE => Share::DELETE,
            _ => Share::empty(),
        }
    }

    fn every_sharing() -> impl Iterator<Item = Sharing> {
        MODES.into_iter().flat_map(|access| {
            (0..8).map(move |bits| Sharing {
                access,
                share: Share::from_bits_truncate(bits),
            })
        })
    }

    #[test]
    fn two_opens_get_along_when_each_shares_what_the_other_does() {
        for first in every_sharing() {
            let opens: Opens = [first].into_iter().collect();
            for second in every_sharing() {
                let part = !needs(first.access).is_empty() && !needs(second.access).is_empty();
                let fits = !part
                    || (first.share.contains(needs(second.access))
                        && second.share.contains(needs(first.access)));
                assert_eq!(opens.check(second).is_ok(), fits, "{first:?} then {second:?}");
            }
        }
    }

    #[test]
    fn what_closes_is_forgotten() {
        let mut opens = Opens::NONE;
        for open in every_sharing() {
            let before = opens;
            opens.add(open);
            let mut after = opens;
            after.remove(open);
            assert_eq!(after, before);
        }
        assert_eq!(opens.handles(), 56);
    }
}
