//! Upper case: the table that Windows writes, and the order that it gives.

use std::cmp::Ordering;

use polylink_nt::upcase::{BYTES, UNITS, UpcaseTable, WrongLength};
use proptest::prelude::*;

use crate::random::cases;

fn units(text: &str) -> Vec<u16> {
    text.encode_utf16().collect()
}

/// FNV-1a, which nothing but this test uses.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xCBF2_9CE4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3)
    })
}

#[test]
fn the_default_table_is_the_one_that_windows_10_wrote() {
    let table = UpcaseTable::default();
    let bytes = table.to_bytes();
    assert_eq!(bytes.len(), BYTES);
    // of the $UpCase of a volume that build 19041 formatted
    assert_eq!(fnv1a(&bytes), 0x48ED_4531_E939_9927);
    // what Windows itself wrote into $UpCase:$Info of that volume
    assert_eq!(table.crc(), 0xDADC_7E77_6B1B_690C);
    let changed = (0..=u16::MAX).filter(|&unit| table.upcase(unit) != unit).count();
    assert_eq!(changed, 973);
}

#[test]
fn single_units_have_the_upper_case_of_windows() {
    for (lower, upper) in [
        ('a', 'A'),
        ('z', 'Z'),
        ('{', '{'),
        ('ä', 'Ä'),
        ('÷', '÷'),
        ('ÿ', 'Ÿ'),
        ('ā', 'Ā'),
        ('ω', 'Ω'),
        ('я', 'Я'),
        ('ա', 'Ա'),
        ('ꙡ', 'ꙡ'),
        ('ａ', 'Ａ'),
        ('\u{1D7D}', '\u{2C63}'),
        // Unicode has an upper case for these, the table of Windows has none
        ('ß', 'ß'),
        ('µ', 'µ'),
        ('ı', 'ı'),
        ('ſ', 'ſ'),
        ('ς', 'ς'),
        ('ა', 'ა'),
        // and the titlecase letters of Unicode are their own
        ('ǅ', 'ǅ'),
        ('ǆ', 'Ǆ'),
    ] {
        let unit = |c: char| u16::try_from(u32::from(c)).unwrap();
        assert_eq!(UpcaseTable::windows().upcase(unit(lower)), unit(upper), "{lower}");
    }
    for surrogate in 0xD800..=0xDFFF {
        assert_eq!(UpcaseTable::windows().upcase(surrogate), surrogate);
    }
}

#[test]
fn upper_case_is_final() {
    let table = UpcaseTable::windows();
    for unit in 0..=u16::MAX {
        let upper = table.upcase(unit);
        assert_eq!(table.upcase(upper), upper, "{unit:04X}");
    }
}

#[test]
fn names_are_the_same_but_for_case() {
    let table = UpcaseTable::windows();
    for (a, b, same) in [
        ("readme.txt", "README.TXT", true),
        ("Größe", "GRÖßE", true),
        ("Ω", "ω", true),
        ("straße", "STRASSE", false),
        ("I", "ı", false),
        ("İ", "i", false),
        ("a", "ab", false),
        ("", "", true),
        // beyond 16 bits there is no case
        ("𐐀", "𐐨", false),
        ("🔥a", "🔥A", true),
    ] {
        let (a, b) = (units(a), units(b));
        assert_eq!(table.same(&a, &b), same);
        assert_eq!(table.same(&b, &a), same);
        assert_eq!(table.collate(&a, &b) == Ordering::Equal, same);
    }
    assert!(
        table.same(&[0xD83D, 0x61], &[0xD83D, 0x41]),
        "lone surrogates are units like others"
    );
    assert!(table.starts_with(&units("Photo.jpg"), &units("pHOTO")));
    assert!(!table.starts_with(&units("Photo"), &units("photo.jpg")));
    assert_eq!(table.upcased(&units("ab.ß")), units("AB.ß"));
}

#[test]
fn directories_are_ordered_by_upper_case_and_then_length() {
    let table = UpcaseTable::windows();
    // each before the next
    let names = [
        "$MFT", "a", "A1", "aa", "B", "b.txt", "Z", "_", "é", "Ω", "日", "🔥", "ﬀ",
    ];
    for (i, a) in names.iter().enumerate() {
        for (j, b) in names.iter().enumerate() {
            assert_eq!(table.collate(&units(a), &units(b)), i.cmp(&j), "{a} {b}");
            assert_eq!(table.collate_exact(&units(a), &units(b)), i.cmp(&j), "{a} {b}");
        }
    }
}

#[test]
fn names_that_differ_in_case_alone_are_told_apart_by_their_units() {
    let table = UpcaseTable::windows();
    let order = |a: &str, b: &str| {
        (
            table.collate(&units(a), &units(b)),
            table.collate_exact(&units(a), &units(b)),
        )
    };
    assert_eq!(order("A", "a"), (Ordering::Equal, Ordering::Less));
    assert_eq!(order("a", "A"), (Ordering::Equal, Ordering::Greater));
    assert_eq!(order("aB", "Ab"), (Ordering::Equal, Ordering::Greater));
    assert_eq!(order("a", "a"), (Ordering::Equal, Ordering::Equal));
    // case counts only where nothing else does
    assert_eq!(order("ab", "B"), (Ordering::Less, Ordering::Less));
}

#[test]
fn a_volumes_own_table_is_used_as_it_is() {
    let mut bytes = UpcaseTable::default().to_bytes();
    assert_eq!(
        UpcaseTable::from_bytes(&bytes).as_ref(),
        Ok(UpcaseTable::windows())
    );
    // ß becomes S there
    bytes[2 * 0xDF..][..2].copy_from_slice(&0x53_u16.to_le_bytes());
    let own = UpcaseTable::from_bytes(&bytes).unwrap();
    assert_ne!(&own, UpcaseTable::windows());
    assert_eq!(own.to_bytes(), bytes);
    assert!(own.same(&units("ß"), &units("s")));
    assert!(own.starts_with(&units("ßx"), &units("S")));
    assert_eq!(own.collate(&units("ßa"), &units("SB")), Ordering::Less);
    assert_ne!(own.crc(), UpcaseTable::windows().crc());
    assert_eq!(format!("{own:?}"), format!("UpcaseTable(crc {:016X})", own.crc()));
}

#[test]
fn tables_of_another_length_are_refused() {
    for (len, count) in [
        (0, 0),
        (1, 1),
        (BYTES - 1, UNITS),
        (BYTES - 2, UNITS - 1),
        (BYTES + 1, UNITS + 1),
        (BYTES + 2, UNITS + 1),
    ] {
        assert_eq!(
            UpcaseTable::from_bytes(&vec![0; len]),
            Err(WrongLength { units: count }),
            "{len}"
        );
    }
    let error = UpcaseTable::from_units(vec![0; 10]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "an upper-case table has 65536 units, this one 10"
    );
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn collation_is_the_comparison_of_names_in_upper_case(
        a in prop::collection::vec(prop_oneof![0x40_u16..0x7B, any::<u16>()], 0..6),
        b in prop::collection::vec(prop_oneof![0x40_u16..0x7B, any::<u16>()], 0..6),
    ) {
        let table = UpcaseTable::windows();
        let order = table.upcased(&a).cmp(&table.upcased(&b));
        prop_assert_eq!(table.collate(&a, &b), order);
        prop_assert_eq!(table.same(&a, &b), order == Ordering::Equal);
        prop_assert_eq!(table.collate_exact(&a, &b) == Ordering::Equal, a == b);
    }
}
