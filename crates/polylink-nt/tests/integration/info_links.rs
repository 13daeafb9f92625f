//! Lists of names as bytes, written and read.

use polylink_nt::NtStatus;
use polylink_nt::info::{LinkEntry, LinksError, LinksInformation, StandardLinkInformation};
use proptest::prelude::*;

use crate::random::cases;

fn entry(parent: u64, name: &str) -> LinkEntry {
    LinkEntry {
        parent,
        name: name.encode_utf16().collect(),
    }
}

/// Two names, spelt out: 20 + 6 bytes, 6 of padding, 20 + 2.
const TWO: [u8; 62] = [
    62, 0, 0, 0, // BytesNeeded
    2, 0, 0, 0, // EntriesReturned
    32, 0, 0, 0, 0, 0, 0, 0, // NextEntryOffset, padding
    5, 0, 0, 0, 0, 0, 5, 0, // ParentFileId
    3, 0, 0, 0, // FileNameLength, in characters
    b'a', 0, b'b', 0, b'c', 0, 0, 0, 0, 0, 0, 0, // FileName, padding
    0, 0, 0, 0, 0, 0, 0, 0, // the last
    6, 0, 0, 0, 0, 0, 1, 0, // ParentFileId
    1, 0, 0, 0, // FileNameLength
    b'x', 0, // FileName, and nothing behind it
];

fn two() -> [LinkEntry; 2] {
    [entry(0x5_0000_0000_0005, "abc"), entry(0x1_0000_0000_0006, "x")]
}

#[test]
fn row_entries_are_aligned_to_8_bytes_and_name_lengths_count_characters() {
    let mut buffer = [0xEE; 70];
    let reply = LinksInformation::encode_into(&two(), &mut buffer);
    assert_eq!((reply.status, reply.written), (NtStatus::SUCCESS, 62));
    assert_eq!((reply.needed, reply.entries), (62, 2));
    assert_eq!(buffer[..62], TWO);
    assert_eq!(buffer[62..], [0xEE; 8]);
    let read = LinksInformation::decode(&TWO).unwrap();
    assert_eq!(read.entries, two());
    assert_eq!(read.bytes_needed, 62);
}

#[test]
fn row_whole_entries_only_and_the_rest_is_an_overflow() {
    let names = two();
    for len in 0..=70 {
        let mut buffer = vec![0xEE; len];
        let reply = LinksInformation::encode_into(&names, &mut buffer);
        let (status, written, entries) = match len {
            0..8 => (NtStatus::INFO_LENGTH_MISMATCH, 0, 0),
            8..34 => (NtStatus::BUFFER_OVERFLOW, 8, 0),
            34..62 => (NtStatus::BUFFER_OVERFLOW, 34, 1),
            _ => (NtStatus::SUCCESS, 62, 2),
        };
        assert_eq!(
            (reply.status, reply.written, reply.entries, reply.needed),
            (status, written, entries, 62),
            "{len}"
        );
        assert!(buffer[written..].iter().all(|&byte| byte == 0xEE), "{len}");
        if status != NtStatus::INFO_LENGTH_MISMATCH {
            let read = LinksInformation::decode(&buffer[..written]).unwrap();
            assert_eq!(
                (read.bytes_needed, &read.entries[..]),
                (62, &names[..entries]),
                "{len}"
            );
        }
    }
}

#[test]
fn a_name_that_fits_behind_one_that_does_not_is_left_out_too() {
    let names = [entry(5, "a name that is too long for it"), entry(5, "x")];
    let mut buffer = [0; 40];
    let reply = LinksInformation::encode_into(&names, &mut buffer);
    assert_eq!((reply.status, reply.entries), (NtStatus::BUFFER_OVERFLOW, 0));
}

#[test]
fn every_cut_of_a_list_is_refused() {
    for len in 0..TWO.len() {
        let expected = match len {
            0..8 => LinksError::NoHeader,
            8..34 => LinksError::Truncated { offset: 8 },
            // the padding goes before the second name does
            34..40 => LinksError::Truncated { offset: 8 },
            _ => LinksError::Truncated { offset: 40 },
        };
        assert_eq!(LinksInformation::decode(&TWO[..len]), Err(expected), "{len}");
    }
}

#[test]
fn lists_that_lie_are_refused() {
    let lie = |at: usize, value: u32| {
        let mut bytes = TWO;
        bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
        LinksInformation::decode(&bytes)
    };
    // NextEntryOffset into the entry itself, to no multiple of 8, beyond the end
    for next in [1, 8, 16, 24, 25, 33, u32::MAX] {
        assert_eq!(
            lie(8, next),
            Err(LinksError::BadOffset { offset: 8, next }),
            "{next}"
        );
    }
    assert_eq!(lie(8, 0xFFFF_FFF8), Err(LinksError::Truncated { offset: 8 }));
    assert_eq!(lie(8, 56), Err(LinksError::Truncated { offset: 8 }));
    assert_eq!(lie(8, 48), Err(LinksError::Truncated { offset: 56 }));
    // a last entry that goes on
    assert_eq!(lie(40, 24), Err(LinksError::Truncated { offset: 40 }));
    // name lengths: past the next entry, past the end, and one that overflows where usize has 32 bits
    assert_eq!(lie(24, 7), Err(LinksError::BadOffset { offset: 8, next: 32 }));
    assert_eq!(lie(24, 0x8000_0001), Err(LinksError::Truncated { offset: 8 }));
    assert_eq!(lie(56, 2), Err(LinksError::Truncated { offset: 40 }));
    // counts
    for (announced, found) in [(0, 0), (1, 2), (3, 2), (u32::MAX, 2)] {
        let read = lie(4, announced);
        match announced {
            0 => assert_eq!(read.map(|read| read.entries), Ok(Vec::new())),
            _ => assert_eq!(read, Err(LinksError::WrongCount { announced, found })),
        }
    }
}

#[test]
fn refusals_say_where() {
    for (error, text) in [
        (
            LinksError::NoHeader,
            "the list of names ends before its counts do",
        ),
        (
            LinksError::Truncated { offset: 8 },
            "the name at byte 8 goes beyond the end of the list",
        ),
        (
            LinksError::BadOffset { offset: 8, next: 4 },
            "the name at byte 8 says that the next is 4 bytes on, which cannot be",
        ),
        (
            LinksError::WrongCount {
                announced: 3,
                found: 2,
            },
            "the list announces 3 names and holds 2",
        ),
    ] {
        assert_eq!(error.to_string(), text);
    }
}

#[test]
fn row_standard_link_information_has_12_bytes() {
    let info = StandardLinkInformation {
        accessible: 1,
        total: 0x0102_0304,
        delete_pending: true,
        directory: false,
    };
    let bytes = [1, 0, 0, 0, 4, 3, 2, 1, 1, 0, 0, 0];
    assert_eq!(info.encode(), bytes);
    assert_eq!(StandardLinkInformation::decode(&bytes), Ok(info));
    let directory = StandardLinkInformation {
        directory: true,
        ..Default::default()
    };
    assert_eq!(directory.encode(), [0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0]);
    for len in 0..12 {
        let mut small = vec![0xEE; len];
        assert_eq!(info.encode_into(&mut small), Err(NtStatus::INFO_LENGTH_MISMATCH));
        assert!(small.iter().all(|&byte| byte == 0xEE));
        assert_eq!(
            StandardLinkInformation::decode(&bytes[..len]),
            Err(NtStatus::INFO_LENGTH_MISMATCH)
        );
    }
    let mut roomy = [0xEE; 14];
    assert_eq!(info.encode_into(&mut roomy), Ok(12));
    assert_eq!((&roomy[..12], &roomy[12..]), (&bytes[..], &[0xEE; 2][..]));
}

fn lists() -> impl Strategy<Value = Vec<LinkEntry>> {
    let entries = (any::<u64>(), prop::collection::vec(any::<u16>(), 1..20));
    prop::collection::vec(
        entries.prop_map(|(parent, name)| LinkEntry { parent, name }),
        1..12,
    )
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn lists_survive_a_round_trip_as_far_as_there_is_room(names in lists(), room in 0_usize..600) {
        let mut buffer = vec![0xEE; room];
        let reply = LinksInformation::encode_into(&names, &mut buffer);
        prop_assert_eq!(reply.needed, LinksInformation::needed(&names));
        prop_assert_eq!(reply.status == NtStatus::SUCCESS, room >= reply.needed);
        if room >= 8 {
            let read = LinksInformation::decode(&buffer[..reply.written]).unwrap();
            prop_assert_eq!(read.bytes_needed as usize, reply.needed);
            prop_assert_eq!(&read.entries[..], &names[..reply.entries]);
        }
    }

    #[test]
    fn damaged_lists_are_read_or_refused(names in lists(), damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6)) {
        let mut bytes = vec![0; LinksInformation::needed(&names)];
        LinksInformation::encode_into(&names, &mut bytes);
        for (at, byte) in damage {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Ok(read) = LinksInformation::decode(&bytes) {
            prop_assert!(LinksInformation::needed(&read.entries) <= bytes.len());
        }
    }

    #[test]
    fn any_bytes_are_a_list_or_refused(bytes in prop::collection::vec(prop_oneof![Just(0_u8), Just(8), Just(24), any::<u8>()], 0..200)) {
        if let Ok(read) = LinksInformation::decode(&bytes) {
            prop_assert!(LinksInformation::needed(&read.entries) <= bytes.len());
        }
        prop_assert_eq!(StandardLinkInformation::decode(&bytes).is_ok(), bytes.len() >= 12);
    }
}
