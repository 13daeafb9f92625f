//! The structures of links, renames and dispositions as bytes: each row of their layout is a test.

use std::num::NonZeroU64;

use polylink_nt::NtStatus;
use polylink_nt::info::{
    Direction, DispositionFlags, DispositionInformation, EncodeError, Form, InfoClass, Layout, LinkFlags,
    LinkInformation,
};
use proptest::prelude::*;

use crate::random::cases;

const LAYOUTS: [Layout; 2] = [Layout::Bits32, Layout::Bits64];
const FORMS: [Form; 2] = [Form::Classic, Form::Extended];

fn units(text: &str) -> Vec<u16> {
    text.encode_utf16().collect()
}

fn link(flags: LinkFlags, root: u64, name: &str) -> LinkInformation {
    LinkInformation {
        flags,
        root: NonZeroU64::new(root),
        name: units(name),
    }
}

#[test]
fn row_classic_32_bit_fields_lie_at_0_4_8_and_12() {
    let info = link(LinkFlags::REPLACE_IF_EXISTS, 0x1122_3344, "ab€");
    let bytes = [
        1, 0, 0, 0, // ReplaceIfExists, padding
        0x44, 0x33, 0x22, 0x11, // RootDirectory
        6, 0, 0, 0, // FileNameLength, in bytes
        b'a', 0, b'b', 0, 0xAC, 0x20, // FileName, without NUL
    ];
    assert_eq!(info.encode(Layout::Bits32, Form::Classic).unwrap(), bytes);
    assert_eq!(
        LinkInformation::decode(&bytes, Layout::Bits32, Form::Classic),
        Ok(info)
    );
}

#[test]
fn row_classic_64_bit_fields_lie_at_0_8_16_and_20() {
    let info = link(LinkFlags::empty(), 0x1122_3344_5566_7788, "ab€");
    let bytes = [
        0, 0, 0, 0, 0, 0, 0, 0, // ReplaceIfExists, padding
        0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11, // RootDirectory
        6, 0, 0, 0, // FileNameLength, in bytes
        b'a', 0, b'b', 0, 0xAC, 0x20, // FileName, without NUL
    ];
    assert_eq!(info.encode(Layout::Bits64, Form::Classic).unwrap(), bytes);
    assert_eq!(
        LinkInformation::decode(&bytes, Layout::Bits64, Form::Classic),
        Ok(info)
    );
}

#[test]
fn row_extended_flags_take_the_place_of_the_boolean() {
    let flags = LinkFlags::REPLACE_IF_EXISTS
        | LinkFlags::POSIX_SEMANTICS
        | LinkFlags::IGNORE_READONLY_ATTRIBUTE
        | LinkFlags::FORCE_RESIZE_SOURCE_SR;
    let info = link(flags, 7, "abc");
    let head32 = [0x43, 1, 0, 0, 7, 0, 0, 0, 6, 0, 0, 0, b'a', 0];
    let head64 = [
        0x43, 1, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 6, 0, 0, 0, b'a', 0,
    ];
    for (layout, head) in [(Layout::Bits32, &head32[..]), (Layout::Bits64, &head64[..])] {
        let bytes = info.encode(layout, Form::Extended).unwrap();
        assert_eq!(&bytes[..head.len()], head);
        assert_eq!(
            LinkInformation::decode(&bytes, layout, Form::Extended).as_ref(),
            Ok(&info)
        );
    }
}

#[test]
fn row_extended_flags_have_their_bits() {
    for (flag, bits) in [
        (LinkFlags::REPLACE_IF_EXISTS, 0x1),
        (LinkFlags::POSIX_SEMANTICS, 0x2),
        (LinkFlags::SUPPRESS_STORAGE_RESERVE_INHERITANCE, 0x8),
        (LinkFlags::NO_INCREASE_AVAILABLE_SPACE, 0x10),
        (LinkFlags::NO_DECREASE_AVAILABLE_SPACE, 0x20),
        (LinkFlags::PRESERVE_AVAILABLE_SPACE, 0x30),
        (LinkFlags::IGNORE_READONLY_ATTRIBUTE, 0x40),
        (LinkFlags::FORCE_RESIZE_TARGET_SR, 0x80),
        (LinkFlags::FORCE_RESIZE_SOURCE_SR, 0x100),
        (LinkFlags::FORCE_RESIZE_SR, 0x180),
    ] {
        assert_eq!(flag.bits(), bits);
    }
}

#[test]
fn row_sizeof_is_16_or_24_and_short_names_are_padded_to_it() {
    for (layout, size, one, fits) in [(Layout::Bits32, 16, 14, "ab"), (Layout::Bits64, 24, 22, "ab")] {
        assert_eq!(LinkInformation::min_len(layout), size);
        for name in ["a", fits] {
            let bytes = link(LinkFlags::empty(), 0, name)
                .encode(layout, Form::Classic)
                .unwrap();
            assert_eq!(bytes.len(), size, "{layout:?} {name}");
            assert!(
                bytes[one..]
                    .iter()
                    .skip(2 * (name.len() - 1))
                    .all(|&byte| byte == 0)
            );
        }
        let longer = link(LinkFlags::empty(), 0, "abc");
        assert_eq!(
            longer.encode(layout, Form::Classic).unwrap().len(),
            longer.encoded_len(layout)
        );
        assert_eq!(longer.encoded_len(layout), one - 2 + 6);

        let bytes = link(LinkFlags::empty(), 0, "a")
            .encode(layout, Form::Classic)
            .unwrap();
        for len in 0..size {
            for form in FORMS {
                let short = LinkInformation::decode(&bytes[..len], layout, form);
                assert_eq!(short, Err(NtStatus::INFO_LENGTH_MISMATCH), "{layout:?} {len}");
            }
        }
    }
}

/// A request with a chosen length field and so many bytes behind it.
fn with_length(layout: Layout, name_length: u32, name_bytes: usize) -> Vec<u8> {
    let (at, name) = match layout {
        Layout::Bits32 => (8, 12),
        Layout::Bits64 => (16, 20),
    };
    let mut bytes = vec![0; name + name_bytes];
    bytes[at..at + 4].copy_from_slice(&name_length.to_le_bytes());
    bytes[name..].fill(b'x');
    bytes
}

#[test]
fn row_name_lengths_of_0_odd_ones_and_those_past_the_end_are_invalid_parameters() {
    for layout in LAYOUTS {
        for (length, bytes, ok) in [
            (0, 8, false),
            (1, 8, false),
            (3, 8, false),
            (7, 8, false),
            (9, 8, false),
            (10, 8, false),
            (10, 9, false),
            (u32::MAX, 8, false),
            (u32::MAX - 1, 8, false),
            (0x8000_0000, 8, false),
            (2, 8, true),
            (8, 8, true),
            // an odd byte behind the name is nobody's
            (8, 9, true),
        ] {
            for form in FORMS {
                let info = LinkInformation::decode(&with_length(layout, length, bytes), layout, form);
                match info {
                    Ok(info) => assert!(
                        ok && info.name.len() * 2 == length as usize,
                        "{length} of {bytes}"
                    ),
                    Err(status) => {
                        assert!(!ok, "{length} of {bytes}");
                        assert_eq!(status, NtStatus::INVALID_PARAMETER);
                    }
                }
            }
        }
    }
}

#[test]
fn a_short_buffer_is_told_before_a_bad_name_length() {
    for layout in LAYOUTS {
        let mut bytes = with_length(layout, 1, 2);
        assert!(bytes.len() < LinkInformation::min_len(layout));
        let decode = |bytes: &[u8]| LinkInformation::decode(bytes, layout, Form::Classic);
        assert_eq!(decode(&bytes), Err(NtStatus::INFO_LENGTH_MISMATCH));
        bytes.resize(LinkInformation::min_len(layout), 0);
        assert_eq!(decode(&bytes), Err(NtStatus::INVALID_PARAMETER));
    }
}

#[test]
fn booleans_are_one_byte() {
    for layout in LAYOUTS {
        for (first, replace) in [
            ([0, 0, 0, 0], false),
            ([1, 0, 0, 0], true),
            ([0xFF, 0, 0, 0], true),
            // the BOOL 0x100, and padding that nobody cleared
            ([0, 1, 0, 0], false),
            ([0, 0xAA, 0xBB, 0xCC], false),
            ([1, 0xAA, 0xBB, 0xCC], true),
        ] {
            let mut bytes = link(LinkFlags::empty(), 0, "name")
                .encode(layout, Form::Classic)
                .unwrap();
            bytes[..4].copy_from_slice(&first);
            let info = LinkInformation::decode(&bytes, layout, Form::Classic).unwrap();
            assert_eq!(info.flags == LinkFlags::REPLACE_IF_EXISTS, replace, "{first:?}");
            assert!(LinkFlags::REPLACE_IF_EXISTS.contains(info.flags));
        }
    }
}

#[test]
fn padding_of_64_bit_requests_is_not_looked_at() {
    let info = link(LinkFlags::POSIX_SEMANTICS, 5, "name");
    let mut bytes = info.encode(Layout::Bits64, Form::Extended).unwrap();
    bytes[4..8].fill(0xEE);
    assert_eq!(
        LinkInformation::decode(&bytes, Layout::Bits64, Form::Extended),
        Ok(info)
    );
}

#[test]
fn flags_that_nobody_knows_are_kept() {
    let info = link(LinkFlags::from_bits_retain(0xF000_0001), 0, "name");
    for layout in LAYOUTS {
        let bytes = info.encode(layout, Form::Extended).unwrap();
        assert_eq!(
            LinkInformation::decode(&bytes, layout, Form::Extended).as_ref(),
            Ok(&info)
        );
    }
    let disposition = DispositionInformation {
        flags: DispositionFlags::from_bits_retain(0x8000_0001),
    };
    let bytes = disposition.encode(Form::Extended).unwrap();
    assert_eq!(
        DispositionInformation::decode(&bytes, Form::Extended),
        Ok(disposition)
    );
}

#[test]
fn what_has_no_place_is_not_encoded() {
    let encode = |info: &LinkInformation, layout, form| info.encode(layout, form).unwrap_err();
    let wide = link(LinkFlags::empty(), 1 << 32, "name");
    assert_eq!(
        encode(&wide, Layout::Bits32, Form::Classic),
        EncodeError::HandleTooWide { handle: 1 << 32 }
    );
    assert!(wide.encode(Layout::Bits64, Form::Classic).is_ok());
    let widest = link(LinkFlags::empty(), u64::from(u32::MAX), "name");
    assert!(widest.encode(Layout::Bits32, Form::Classic).is_ok());

    let posix = link(
        LinkFlags::REPLACE_IF_EXISTS | LinkFlags::POSIX_SEMANTICS,
        0,
        "name",
    );
    assert_eq!(
        encode(&posix, Layout::Bits64, Form::Classic),
        EncodeError::FlagsNeedExtended { flags: 2 }
    );
    let nameless = link(LinkFlags::empty(), 0, "");
    for layout in LAYOUTS {
        for form in FORMS {
            assert_eq!(encode(&nameless, layout, form), EncodeError::EmptyName);
        }
    }
}

#[test]
fn a_given_buffer_is_written_to_as_far_as_needed_or_not_at_all() {
    let info = link(LinkFlags::REPLACE_IF_EXISTS, 3, "abc");
    let mut buffer = [0xEE; 40];
    let len = info
        .encode_into(&mut buffer, Layout::Bits64, Form::Classic)
        .unwrap();
    assert_eq!(buffer[..len], info.encode(Layout::Bits64, Form::Classic).unwrap());
    assert!(buffer[len..].iter().all(|&byte| byte == 0xEE));

    let mut small = [0xEE; 25];
    let error = info
        .encode_into(&mut small, Layout::Bits64, Form::Classic)
        .unwrap_err();
    assert_eq!(error, EncodeError::BufferTooSmall { needed: 26 });
    assert_eq!(error.status(), NtStatus::BUFFER_TOO_SMALL);
    assert_eq!(small, [0xEE; 25]);
}

#[test]
fn the_native_layout_has_handles_as_wide_as_pointers() {
    let wide = matches!(Layout::NATIVE, Layout::Bits64);
    assert_eq!(wide, size_of::<usize>() == 8);
}

#[test]
fn row_disposition_of_no_bytes_is_a_length_mismatch() {
    for (form, size) in [(Form::Classic, 1), (Form::Extended, 4)] {
        assert_eq!(DispositionInformation::min_len(form), size);
        for len in 0..=8 {
            let info = DispositionInformation::decode(&[1, 0, 0, 0, 0, 0, 0, 0][..len], form);
            let delete = DispositionInformation {
                flags: DispositionFlags::DELETE,
            };
            let expected = if len < size {
                Err(NtStatus::INFO_LENGTH_MISMATCH)
            } else {
                Ok(delete)
            };
            assert_eq!(info, expected, "{form:?} {len}");
        }
    }
}

#[test]
fn row_disposition_of_the_bool_0x100_does_not_delete() {
    let decode = |bytes: [u8; 4], form| DispositionInformation::decode(&bytes, form).unwrap().flags;
    assert_eq!(decode([0, 1, 0, 0], Form::Classic), DispositionFlags::empty());
    assert_eq!(decode([2, 0, 0, 0], Form::Classic), DispositionFlags::DELETE);
    assert_eq!(decode([0, 1, 0, 0], Form::Extended).bits(), 0x100);
}

#[test]
fn row_disposition_flags_have_their_bits() {
    for (flag, bits) in [
        (DispositionFlags::DELETE, 0x1),
        (DispositionFlags::POSIX_SEMANTICS, 0x2),
        (DispositionFlags::FORCE_IMAGE_SECTION_CHECK, 0x4),
        (DispositionFlags::ON_CLOSE, 0x8),
        (DispositionFlags::IGNORE_READONLY_ATTRIBUTE, 0x10),
    ] {
        assert_eq!(flag.bits(), bits);
        let info = DispositionInformation { flags: flag };
        assert_eq!(info.encode(Form::Extended).unwrap(), [bits as u8, 0, 0, 0]);
        match bits {
            1 => assert_eq!(info.encode(Form::Classic).unwrap(), [1]),
            _ => assert_eq!(
                info.encode(Form::Classic),
                Err(EncodeError::FlagsNeedExtended { flags: bits })
            ),
        }
    }
    assert_eq!(
        DispositionInformation::default().encode(Form::Classic).unwrap(),
        [0]
    );
}

#[test]
fn row_classes_have_their_numbers_and_one_direction() {
    for (number, name, direction, form) in [
        (10, "FileRenameInformation", Direction::Set, Some(Form::Classic)),
        (11, "FileLinkInformation", Direction::Set, Some(Form::Classic)),
        (
            13,
            "FileDispositionInformation",
            Direction::Set,
            Some(Form::Classic),
        ),
        (46, "FileHardLinkInformation", Direction::Query, None),
        (54, "FileStandardLinkInformation", Direction::Query, None),
        (
            64,
            "FileDispositionInformationEx",
            Direction::Set,
            Some(Form::Extended),
        ),
        (
            65,
            "FileRenameInformationEx",
            Direction::Set,
            Some(Form::Extended),
        ),
        (72, "FileLinkInformationEx", Direction::Set, Some(Form::Extended)),
    ] {
        let class = InfoClass::from_number(number, direction).unwrap();
        assert_eq!((class.number(), class.name()), (number, name));
        assert_eq!((class.direction(), class.form()), (direction, form));
        let other = match direction {
            Direction::Query => Direction::Set,
            Direction::Set => Direction::Query,
        };
        assert_eq!(
            InfoClass::from_number(number, other),
            Err(NtStatus::INVALID_INFO_CLASS)
        );
        assert_eq!(class.to_string(), format!("{name} ({number})"));
    }
    for number in [0, 9, 12, 14, 73, u32::MAX] {
        assert_eq!(
            InfoClass::from_number(number, Direction::Set),
            Err(NtStatus::INVALID_INFO_CLASS)
        );
    }
    assert_eq!(InfoClass::ALL.len(), 8);
}

fn layouts() -> impl Strategy<Value = Layout> {
    prop_oneof![Just(Layout::Bits32), Just(Layout::Bits64)]
}

prop_compose! {
    fn requests()(layout in layouts(), extended: bool, flags: u32, root: u64, name in prop::collection::vec(any::<u16>(), 1..300))
        -> (LinkInformation, Layout, Form) {
        let form = if extended { Form::Extended } else { Form::Classic };
        let flags = LinkFlags::from_bits_retain(match form {
            Form::Classic => flags & 1,
            Form::Extended => flags,
        });
        let root = match layout {
            Layout::Bits32 => root >> 32,
            Layout::Bits64 => root,
        };
        (LinkInformation { flags, root: NonZeroU64::new(root), name }, layout, form)
    }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn requests_survive_a_round_trip((info, layout, form) in requests()) {
        let bytes = info.encode(layout, form).unwrap();
        prop_assert_eq!(bytes.len(), info.encoded_len(layout));
        prop_assert_eq!(LinkInformation::decode(&bytes, layout, form), Ok(info));
    }

    #[test]
    fn every_part_of_a_request_has_its_status((info, layout, form) in requests()) {
        let bytes = info.encode(layout, form).unwrap();
        for len in 0..bytes.len() {
            let status = if len < LinkInformation::min_len(layout) {
                NtStatus::INFO_LENGTH_MISMATCH
            } else {
                NtStatus::INVALID_PARAMETER
            };
            prop_assert_eq!(LinkInformation::decode(&bytes[..len], layout, form), Err(status));
        }
    }

    #[test]
    fn any_bytes_are_a_request_or_get_a_status(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
        for layout in LAYOUTS {
            for form in FORMS {
                match LinkInformation::decode(&bytes, layout, form) {
                    Ok(info) => prop_assert!(info.encoded_len(layout) <= bytes.len()),
                    Err(status) => prop_assert!([NtStatus::INFO_LENGTH_MISMATCH, NtStatus::INVALID_PARAMETER].contains(&status)),
                }
                let size = DispositionInformation::min_len(form);
                prop_assert_eq!(DispositionInformation::decode(&bytes, form).is_ok(), bytes.len() >= size);
            }
        }
    }
}
