//! Which names can exist, and in which form they are kept.

use polylink_nt::NtStatus;
use polylink_nt::name::{
    Charset, Made, NameError, Namespace, StreamPath, check, is_dos_device, split_stream, trimmed_by_win32,
    units_of_wtf8, wtf8_of_units,
};
use proptest::prelude::*;

use crate::random::cases;

fn units(text: &str) -> Vec<u16> {
    text.encode_utf16().collect()
}

#[test]
fn row_l10_reserved_characters_are_refused_and_told() {
    for c in [
        '"', '\\', '/', ':', '|', '<', '>', '*', '?', '\0', '\u{1}', '\t', '\n', '\u{1F}',
    ] {
        let name = units(&format!("ab{c}c"));
        let unit = u16::try_from(u32::from(c)).unwrap();
        let error = check(&name, Charset::Win32).unwrap_err();
        assert_eq!(error, NameError::Reserved { unit, index: 2 });
        assert_eq!(error.status(), NtStatus::OBJECT_NAME_INVALID);
        let posix = check(&name, Charset::Posix);
        match c {
            '\0' | '/' => assert_eq!(posix, Err(error)),
            _ => assert_eq!(posix, Ok(()), "{c:?}"),
        }
    }
    // nothing else is
    for unit in 0x20..=u16::MAX {
        let c = char::from_u32(u32::from(unit));
        let reserved = c.is_some_and(|c| "\"\\/:|<>*?".contains(c));
        assert_eq!(Charset::Win32.allows(unit), !reserved, "{unit:04X}");
        assert_eq!(Charset::Posix.allows(unit), unit != 0x2F, "{unit:04X}");
    }
    for unit in 0..0x20 {
        assert!(!Charset::Win32.allows(unit));
        assert_eq!(Charset::Posix.allows(unit), unit != 0);
    }
}

#[test]
fn row_l10_255_units_are_the_limit_and_not_bytes() {
    for (name, over) in [
        ("a".repeat(255), None),
        ("a".repeat(256), Some(1)),
        ("日".repeat(255), None),
        ("🔥".repeat(127), None),
        ("🔥".repeat(128), Some(1)),
        // the row's own: more than 255 bytes of UTF-8, but 135 units
        (format!("newname{}", "🔥".repeat(64)), None),
    ] {
        for charset in [Charset::Win32, Charset::Posix] {
            let expected = over.map_or(Ok(()), |by| Err(NameError::TooLong { by }));
            assert_eq!(check(&units(&name), charset), expected);
        }
    }
}

#[test]
fn row_l10_lone_surrogates_are_fine_in_any_order() {
    for surrogates in [&[0xD83D][..], &[0xDD25], &[0xDD25, 0xD83D]] {
        for charset in [Charset::Win32, Charset::Posix] {
            assert_eq!(check(surrogates, charset), Ok(()));
        }
    }
}

#[test]
fn names_that_are_empty_or_dots_are_refused() {
    for charset in [Charset::Win32, Charset::Posix] {
        assert_eq!(check(&[], charset), Err(NameError::Empty));
        assert_eq!(check(&units("."), charset), Err(NameError::Dots));
        assert_eq!(check(&units(".."), charset), Err(NameError::Dots));
        assert_eq!(check(&units("..."), charset), Ok(()));
        assert_eq!(check(&units(".a"), charset), Ok(()));
    }
}

#[test]
fn refusals_say_what_is_wrong() {
    for (name, text) in [
        ("", "the name is empty"),
        ("..", "'.' and '..' stand for directories and cannot be made"),
        ("ab*c", "a name cannot hold '*', which is at place 3"),
        ("a\tc", "a name cannot hold U+0009, which is at place 2"),
    ] {
        assert_eq!(check(&units(name), Charset::Win32).unwrap_err().to_string(), text);
    }
    assert_eq!(
        check(&[0x61; 300], Charset::Win32).unwrap_err().to_string(),
        "a name has at most 255 UTF-16 units, and this has 45 more"
    );
    assert_eq!(
        split_stream(&units("a:b:c:d")).unwrap_err().to_string(),
        "the colon at place 6 is one too many for a stream's name"
    );
    assert_eq!(NtStatus::from(NameError::Empty), NtStatus::OBJECT_NAME_INVALID);
}

#[test]
fn win32_strips_dots_and_spaces_at_the_end_that_nt_keeps() {
    for (name, stripped) in [
        ("name", "name"),
        ("name.", "name"),
        ("name. . ", "name"),
        (" .name", " .name"),
        ("a. b", "a. b"),
        ("...", ""),
    ] {
        assert_eq!(trimmed_by_win32(&units(name)), units(stripped), "{name}");
        assert_eq!(check(&units(name), Charset::Win32), Ok(()));
    }
}

#[test]
fn devices_keep_their_names_whatever_follows_the_dot() {
    for name in [
        "CON",
        "con",
        "Prn",
        "AUX",
        "nul",
        "NUL.txt",
        "nul.tar.gz",
        "aux  .c",
        "COM1",
        "com9.log",
        "LPT5",
        "COM¹",
        "lpt²",
        "COM³.x",
        "CONIN$",
        "conout$",
        "con:",
        "nul  ",
        "NUL:x",
    ] {
        assert!(is_dos_device(&units(name)), "{name}");
        // NT takes what is not reserved for streams
        if !name.contains(':') {
            assert_eq!(check(&units(name), Charset::Win32), Ok(()));
        }
    }
    for name in [
        "", "CONS", "CO", "COM", "COM0", "LPT0", "COM10", "COM⁴", "LPT", "nul1", " nul", "x.nul", "CONIN",
        "cοn",
    ] {
        assert!(!is_dos_device(&units(name)), "{name}");
    }
}

#[test]
fn streams_stand_behind_colons() {
    let split = |text: &str| {
        let component = units(text);
        let StreamPath { file, stream, kind } = split_stream(&component).unwrap();
        let text = |units: &[u16]| String::from_utf16(units).unwrap();
        (
            text(file),
            stream.map(text),
            kind.map(text),
            split_stream(&component).unwrap().is_other_stream(),
        )
    };
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(split("file"), ("file".into(), None, None, false));
    assert_eq!(split("file:s"), ("file".into(), some("s"), None, true));
    assert_eq!(
        split("file:s:$DATA"),
        ("file".into(), some("s"), some("$DATA"), true)
    );
    assert_eq!(
        split("file::$data"),
        ("file".into(), some(""), some("$data"), false)
    );
    assert_eq!(
        split("dir::$INDEX_ALLOCATION"),
        ("dir".into(), some(""), some("$INDEX_ALLOCATION"), true)
    );
    assert_eq!(split("file::"), ("file".into(), some(""), some(""), true));
    assert_eq!(split(":s"), (String::new(), some("s"), None, true));
    for (text, index) in [("a:b:c:d", 5), (":::", 2), ("a:b:c:", 5)] {
        assert_eq!(
            split_stream(&units(text)),
            Err(NameError::Colons { index }),
            "{text}"
        );
    }
}

#[test]
fn namespaces_have_the_numbers_on_disk() {
    for (byte, namespace, is_link) in [
        (0, Namespace::Posix, true),
        (1, Namespace::Win32, true),
        (2, Namespace::Dos, false),
        (3, Namespace::Win32AndDos, true),
    ] {
        assert_eq!(Namespace::from_byte(byte), Some(namespace));
        assert_eq!((namespace.byte(), namespace.is_link()), (byte, is_link));
    }
    assert_eq!(Namespace::from_byte(4), None);
}

#[test]
fn new_names_are_in_namespace_3_where_8_3_fits_and_links_never_are() {
    for (name, created) in [
        ("README.TXT", Namespace::Win32AndDos),
        ("readme.txt", Namespace::Win32AndDos),
        ("readme.html", Namespace::Posix),
        ("a file", Namespace::Posix),
        ("Größe", Namespace::Posix),
    ] {
        let name = units(name);
        assert_eq!(Namespace::for_new(&name, Made::ByCreateOrRename), created);
        assert_eq!(Namespace::for_new(&name, Made::ByLink), Namespace::Posix);
    }
}

#[test]
fn bytes_and_units_are_two_forms_of_one_name() {
    for (name, bytes) in [
        (&[][..], &b""[..]),
        (&[0x61, 0xE4, 0x65E5], "aä日".as_bytes()),
        (&[0xD83D, 0xDD25], "🔥".as_bytes()),
        (&[0xD800], b"\xED\xA0\x80"),
        (&[0xDBFF, 0x61], b"\xED\xAF\xBFa"),
        (&[0xDFFF], b"\xED\xBF\xBF"),
        // low before high is no pair
        (&[0xDD25, 0xD83D], b"\xED\xB4\xA5\xED\xA0\xBD"),
        (&[0xD83D, 0xD83D, 0xDD25], b"\xED\xA0\xBD\xF0\x9F\x94\xA5"),
        (&[0xD83D, 0xDD25, 0xDD25], b"\xF0\x9F\x94\xA5\xED\xB4\xA5"),
    ] {
        assert_eq!(wtf8_of_units(name), bytes);
        assert_eq!(units_of_wtf8(bytes).as_deref(), Some(name));
    }
}

#[test]
fn bytes_that_are_no_wtf_8_are_refused() {
    for bytes in [
        &b"a\xFF"[..],
        b"\x80",
        b"\xC0\x80",
        b"\xE4\xB8",
        b"\xED\xA0",
        b"\xED\xA0a",
        b"\xF4\x90\x80\x80",
        // the two halves of a pair, side by side
        b"\xED\xA0\xBD\xED\xB4\xA5",
        b"x\xED\xA0\xBD\xED\xB4\xA5y",
    ] {
        assert_eq!(units_of_wtf8(bytes), None, "{bytes:X?}");
    }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn any_units_survive_as_bytes(
        name in prop::collection::vec(prop_oneof![any::<u16>(), 0xD800_u16..0xE000, 0x20_u16..0x7F], 0..40),
    ) {
        let bytes = wtf8_of_units(&name);
        prop_assert_eq!(units_of_wtf8(&bytes), Some(name.clone()));
        if let Ok(text) = String::from_utf16(&name) {
            prop_assert_eq!(text.as_bytes(), &bytes[..]);
        }
    }

    #[test]
    fn any_bytes_are_units_in_one_way_only(
        bytes in prop::collection::vec(prop_oneof![any::<u8>(), Just(0xED_u8), 0x80_u8..0xC0], 0..24),
    ) {
        if let Some(name) = units_of_wtf8(&bytes) {
            prop_assert_eq!(wtf8_of_units(&name), bytes);
        } else {
            prop_assert!(std::str::from_utf8(&bytes).is_err());
        }
    }
}
