//! `$Secure`: the descriptors that everything on a new volume has.

use zerocopy::IntoBytes as _;

use crate::layout::security::{Ace, Acl, DescriptorHeader, SecurityDescriptor};
use crate::secure::{By, HALF, Header, hash};

/// Which descriptor a file has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Security {
    /// System files that are only read: `O:BAG:BAD:(A;;0x120089;;;SY)(A;;0x120089;;;BA)`.
    SystemRead,
    /// The root directory, and what users make in it: `O:BAG:BAD:(A;OICI;FA;;;WD)`.
    Everyone,
    /// System files that are written: `O:BAG:BAD:(A;;0x12019f;;;SY)(A;;0x12019f;;;BA)`.
    SystemWrite,
}

impl Security {
    /// All of them, by their numbers.
    const ALL: [Self; 3] = [Self::SystemRead, Self::Everyone, Self::SystemWrite];

    /// Its number, as `$STANDARD_INFORMATION` has it.
    pub(super) fn id(self) -> u32 {
        match self {
            Self::SystemRead => 0x100,
            Self::Everyone => 0x101,
            Self::SystemWrite => 0x102,
        }
    }

    fn descriptor(self) -> Vec<u8> {
        const READ: u32 = 0x12_0089;
        const READ_AND_WRITE: u32 = 0x12_019F;
        const ALL: u32 = 0x1F_01FF;
        match self {
            Self::SystemRead => allowing(&[(0, READ, SYSTEM), (0, READ, ADMINISTRATORS)]),
            Self::SystemWrite => {
                allowing(&[(0, READ_AND_WRITE, SYSTEM), (0, READ_AND_WRITE, ADMINISTRATORS)])
            }
            // for files and directories below as well
            Self::Everyone => allowing(&[(3, ALL, EVERYONE)]),
        }
    }
}

/// S-1-5-18.
const SYSTEM: &[u8] = &[1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0];
/// S-1-5-32-544.
pub(super) const ADMINISTRATORS: &[u8] = &[1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 0x20, 2, 0, 0];
/// S-1-1-0.
const EVERYONE: &[u8] = &[1, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0];

/// A self-relative descriptor, the administrators' own, with these entries: flags, what is allowed, to whom.
fn allowing(entries: &[(u8, u32, &[u8])]) -> Vec<u8> {
    let mut list = Vec::new();
    for (flags, mask, sid) in entries {
        let ace = Ace {
            kind: 0,
            flags: *flags,
            len: len16(size_of::<Ace>().saturating_add(sid.len())),
            mask: (*mask).into(),
        };
        list.extend_from_slice(ace.as_bytes());
        list.extend_from_slice(sid);
    }
    let acl = Acl {
        revision: 2,
        reserved: 0,
        len: len16(size_of::<Acl>().saturating_add(list.len())),
        count: len16(entries.len()),
        reserved2: 0.into(),
    };
    let dacl = size_of::<SecurityDescriptor>();
    let owner = dacl.saturating_add(size_of::<Acl>()).saturating_add(list.len());
    let group = owner.saturating_add(ADMINISTRATORS.len());
    let header = SecurityDescriptor {
        revision: 1,
        reserved: 0,
        control: 0x8004.into(),
        owner: len32(owner),
        group: len32(group),
        sacl: 0.into(),
        dacl: len32(dacl),
    };
    let parts = [
        header.as_bytes(),
        acl.as_bytes(),
        &list,
        ADMINISTRATORS,
        ADMINISTRATORS,
    ];
    parts.concat()
}

// OK to saturate: the descriptors above have some hundred bytes
fn len16(len: usize) -> zerocopy::byteorder::little_endian::U16 {
    u16::try_from(len).unwrap_or(u16::MAX).into()
}

fn len32(len: usize) -> zerocopy::byteorder::little_endian::U32 {
    u32::try_from(len).unwrap_or(u32::MAX).into()
}

/// Where the second copy of the first 256 KiB of `$SDS` begins.
pub(super) const SDS_COPY: u64 = HALF;
/// Bytes of the three descriptors with their headers, as a test has them.
const SDS_USED: u64 = 0x16C;
/// Bytes of `$SDS`: the first part, which has room to grow, and the copy of what is in it.
pub(super) const SDS_BYTES: u64 = SDS_COPY + SDS_USED;

/// What `$Secure` holds.
#[derive(Debug)]
pub(super) struct Secure {
    /// What is in `$SDS`, at its beginning and again at [`SDS_COPY`].
    pub(super) descriptors: Vec<u8>,
    /// The entries of `$SDH`, in order.
    pub(super) by_hash: Vec<Vec<u8>>,
    /// The entries of `$SII`, in order.
    pub(super) by_id: Vec<Vec<u8>>,
}

/// Lays the descriptors down.
pub(super) fn secure() -> Secure {
    let mut descriptors = Vec::new();
    let mut headers = Vec::new();
    for security in Security::ALL {
        let descriptor = security.descriptor();
        descriptors.resize(descriptors.len().next_multiple_of(16), 0);
        let header = Header {
            hash: hash(&descriptor),
            id: security.id(),
            offset: u64::try_from(descriptors.len()).unwrap_or(u64::MAX),
            len: len32(size_of::<DescriptorHeader>().saturating_add(descriptor.len())).get(),
        };
        descriptors.extend_from_slice(header.encode().as_bytes());
        descriptors.extend_from_slice(&descriptor);
        headers.push(header);
    }
    let by_id = headers.iter().map(|header| header.entry(By::Number)).collect();
    headers.sort_by_key(|header| (header.hash, header.id));
    let by_hash = headers.iter().map(|header| header.entry(By::Hash)).collect();
    Secure {
        descriptors,
        by_hash,
        by_id,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_that_of_windows() {
        // descriptor 0x107 of a volume that Windows formatted: the system's own, full control for the system
        let mut descriptor = vec![
            1, 0, 4, 0x80, 0x30, 0, 0, 0, 0x3C, 0, 0, 0, 0, 0, 0, 0, 0x14, 0, 0, 0,
        ];
        descriptor.extend([2, 0, 0x1C, 0, 1, 0, 0, 0, 0, 0, 0x14, 0, 0xFF, 1, 0x1F, 0]);
        for _ in 0..3 {
            descriptor.extend_from_slice(SYSTEM);
        }
        assert_eq!(hash(&descriptor), 0x23D3_06F5);
    }

    #[test]
    fn everyone_may_do_everything_in_the_root_and_below() {
        let windows = [
            &[
                1, 0, 4, 0x80, 0x30, 0, 0, 0, 0x40, 0, 0, 0, 0, 0, 0, 0, 0x14, 0, 0, 0,
            ][..],
            &[2, 0, 0x1C, 0, 1, 0, 0, 0, 0, 3, 0x14, 0, 0xFF, 1, 0x1F, 0],
            EVERYONE,
            ADMINISTRATORS,
            ADMINISTRATORS,
        ];
        assert_eq!(Security::Everyone.descriptor(), windows.concat());
    }

    #[test]
    fn the_descriptors_take_what_their_file_is_long() {
        let secure = secure();
        assert_eq!(secure.descriptors.len() as u64, SDS_USED);
        assert_eq!((secure.by_hash.len(), secure.by_id.len()), (3, 3));
        for security in Security::ALL {
            let at = secure
                .by_id
                .iter()
                .position(|entry| entry[16..20] == security.id().to_le_bytes());
            assert!(at.is_some(), "{security:?}");
        }
    }
}
