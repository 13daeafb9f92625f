//! One type for each unit that numbers on a volume have.

use core::fmt;

/// A cluster of the volume.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Lcn(pub u64);

/// A cluster of an attribute's value.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Vcn(pub u64);

/// The number of a record in the Master File Table: which file it is, as long as its sequence number stays.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordNumber(pub u64);

impl RecordNumber {
    /// `$MFT`: the table itself.
    pub const MFT: Self = Self(0);
    /// `$MFTMirr`: a copy of the first records.
    pub const MFT_MIRROR: Self = Self(1);
    /// `$LogFile`: the journal.
    pub const LOG_FILE: Self = Self(2);
    /// `$Volume`: label, version, flags.
    pub const VOLUME: Self = Self(3);
    /// `$AttrDef`: the kinds of attributes.
    pub const ATTR_DEF: Self = Self(4);
    /// The root directory.
    pub const ROOT: Self = Self(5);
    /// `$Bitmap`: which clusters are in use.
    pub const BITMAP: Self = Self(6);
    /// `$Boot`: the boot sector.
    pub const BOOT: Self = Self(7);
    /// `$BadClus`: clusters that cannot be used.
    pub const BAD_CLUSTERS: Self = Self(8);
    /// `$Secure`: security descriptors.
    pub const SECURE: Self = Self(9);
    /// `$UpCase`: the table of upper cases.
    pub const UPCASE: Self = Self(10);
    /// `$Extend`: the directory of later system files.
    pub const EXTEND: Self = Self(11);
    /// The first record that is not reserved.
    pub const FIRST_USER: Self = Self(24);
    /// The first record behind those of the volume's own files. Up to [`Self::FIRST_USER`] they are kept free by those
    /// who format, but Windows takes them for files where it repairs a volume.
    pub const FIRST_SPARE: Self = Self(16);

    /// Whether an entry of this name for this record is a file of the volume itself, such as `$MFT`, which is not listed
    /// among the files of users.
    #[must_use]
    pub fn is_own_file(self, name: &[u8]) -> bool {
        self < Self::FIRST_SPARE && name.first() == Some(&b'$')
    }
}

impl fmt::Display for RecordNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for RecordNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}

/// A record together with the sequence number that tells its present file from earlier ones: 48 and 16 bits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileReference(pub u64);

impl FileReference {
    const RECORD_BITS: u32 = 48;
    const RECORD_MASK: u64 = (1 << Self::RECORD_BITS) - 1;

    /// The reference to a record with this sequence number; bits of `record` beyond 48 are dropped.
    #[must_use]
    pub const fn new(record: RecordNumber, sequence: u16) -> Self {
        #[allow(clippy::as_conversions)] // widening; `From` is not const
        let sequence = sequence as u64;
        Self((record.0 & Self::RECORD_MASK) | (sequence << Self::RECORD_BITS))
    }

    /// The record.
    #[must_use]
    pub const fn record(self) -> RecordNumber {
        RecordNumber(self.0 & Self::RECORD_MASK)
    }

    /// The sequence number; 0 fits any.
    #[must_use]
    pub const fn sequence(self) -> u16 {
        #[allow(clippy::as_conversions)] // 16 bits are left
        let sequence = (self.0 >> Self::RECORD_BITS) as u16;
        sequence
    }
}

impl fmt::Display for FileReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.record(), self.sequence())
    }
}

impl fmt::Debug for FileReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}-{}", self.record().0, self.sequence())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_is_a_record_and_its_sequence() {
        let reference = FileReference::new(RecordNumber(0x1234_5678_9ABC), 7);
        assert_eq!(reference.0, 0x0007_1234_5678_9ABC);
        assert_eq!(reference.record(), RecordNumber(0x1234_5678_9ABC));
        assert_eq!(reference.sequence(), 7);
        assert_eq!(reference.to_string(), "20015998343868-7");
    }

    #[test]
    fn files_of_the_volume_are_told_from_those_that_windows_puts_behind_them() {
        assert!(RecordNumber::MFT.is_own_file(b"$MFT"));
        assert!(RecordNumber::EXTEND.is_own_file(b"$Extend"));
        assert!(!RecordNumber(16).is_own_file(b"$RECYCLE.BIN"));
        assert!(!RecordNumber(24).is_own_file(b"$mine"));
        assert!(!RecordNumber(15).is_own_file(b"of a user"));
    }
}
