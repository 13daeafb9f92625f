//! 8.3 names, held against those on real volumes.

use polylink_nt::short::{checksum, generate, is_short};
use polylink_nt::upcase::UpcaseTable;
use proptest::prelude::*;

use crate::random::cases;

fn units(text: &str) -> Vec<u16> {
    text.encode_utf16().collect()
}

/// The candidates for a name, in order.
fn candidates(name: &[u16], count: usize) -> Vec<String> {
    let mut tried = Vec::new();
    let free = generate(name, UpcaseTable::windows(), |short| {
        tried.push(String::from_utf16(short).unwrap());
        tried.len() < count
    });
    assert_eq!(
        free.map(|free| String::from_utf16(&free).unwrap()).as_ref(),
        tried.last()
    );
    tried
}

#[test]
fn twins_are_those_that_windows_made() {
    // long name, twin, and which candidate it is: from the file table of a volume of Windows XP's time
    for (long, short, nth) in [
        ("Documents and Settings", "DOCUME~1", 1),
        ("System Volume Information", "SYSTEM~1", 1),
        ("MountPointManagerRemoteDatabase", "MOUNTP~1", 1),
        ("S-1-5-21-3324442632-306406380-2663041383-1006", "S-1-5-~1", 1),
        ("CALC.EXE-38B0C3C2.pf", "CALCEX~1.PF", 1),
        ("0,1020,299484,00[1].jpg", "0_1020~1.JPG", 1),
        ("FW  (no subject).msg", "FW(NOS~1.MSG", 1),
        ("go!_button[1].gif", "GO!_BU~1.GIF", 1),
        ("Angry cat.jpeg", "ANGRYC~1.JPE", 1),
        ("2001.html", "2001~1.HTM", 1),
        ("USA.html", "USA~1.HTM", 1),
        ("Blüte.jpg", "BLTE~1.JPG", 1),
        ("IHK-Außenwirtschaft.tif", "IHK-AU~1.TIF", 1),
        ("Gran Canaria, Bot. Garden 09.jpg", "GRANCA~4.JPG", 4),
        ("Gran Canaria, Bot. Garden 10.jpg", "GR3E52~1.JPG", 5),
        ("Gran Canaria, Bus trip 33.jpg", "GR9089~1.JPG", 5),
        ("eBayISAPI[8].htm", "EB39B4~1.HTM", 5),
        // two characters or fewer are left: the checksum comes at once
        ("UK.html", "UK97C1~1.HTM", 1),
        ("Полиморфизм.txt", "7582~1.TXT", 1),
        ("Полиморфизм ANSI Cyrillic.txt", "ANSICY~1.TXT", 1),
        ("スズメバチ.txt", "D5FC~1.TXT", 1),
        ("スズメバチ UTF-8.txt", "UTF-8~3.TXT", 3),
        ("પ્રસ્તુત લેખ - કામ ચાલુ છે.txt", "-ADCF~1.TXT", 1),
    ] {
        assert_eq!(candidates(&units(long), nth).last().unwrap(), short, "{long}");
    }
}

#[test]
fn numbers_go_to_4_before_the_checksum_comes() {
    assert_eq!(
        candidates(&units("LongFileName.html"), 6),
        [
            "LONGFI~1.HTM",
            "LONGFI~2.HTM",
            "LONGFI~3.HTM",
            "LONGFI~4.HTM",
            "LO901B~1.HTM",
            "LO901B~2.HTM"
        ]
    );
    let many = candidates(&units("LongFileName.html"), 104);
    assert_eq!(many[12..15], ["LO901B~9.HTM", "LO901~10.HTM", "LO901~11.HTM"]);
    assert_eq!(many[102..], ["LO901~99.HTM", "LO90~100.HTM"]);
}

#[test]
fn taken_names_are_passed_over() {
    let taken = [units("LONGFI~1.HTM"), units("LONGFI~3.HTM")];
    let short = |taken: &[Vec<u16>]| {
        generate(&units("longfilename.html"), UpcaseTable::windows(), |short| {
            taken.iter().any(|name| name == short)
        })
    };
    assert_eq!(short(&taken), Some(units("LONGFI~2.HTM")));
    assert_eq!(short(&[]), Some(units("LONGFI~1.HTM")));
}

#[test]
fn where_everything_is_taken_there_is_no_twin() {
    for (name, tries) in [("LongFileName.html", 4 + 999_999), ("é", 999_999)] {
        let mut tried = 0;
        let short = generate(&units(name), UpcaseTable::windows(), |_| {
            tried += 1;
            true
        });
        assert_eq!((short, tried), (None, tries));
    }
}

#[test]
fn dots_at_either_end_are_no_extension() {
    for (long, short) in [
        (".profile", "PROFIL~1"),
        ("..a.long.extension", "ALONG~1.EXT"),
        ("trailing.", "TRAILI~1"),
        ("a b c d e f g.t x t", "ABCDEF~1.TXT"),
        ("name.é", "NAME~1"),
    ] {
        assert_eq!(candidates(&units(long), 1), [short], "{long}");
    }
}

#[test]
fn the_volumes_table_makes_the_upper_case() {
    let mut bytes = UpcaseTable::default().to_bytes();
    bytes[2 * 0xDF..][..2].copy_from_slice(&0x53_u16.to_le_bytes());
    let own = UpcaseTable::from_bytes(&bytes).unwrap();
    assert_eq!(
        generate(&units("straßenbahn"), &own, |_| false),
        Some(units("STRASE~1"))
    );
}

#[test]
fn names_are_8_3_in_any_case_and_in_ascii() {
    for (name, short) in [
        ("A", true),
        ("ReadMe.txt", true),
        ("_isdel.exe", true),
        ("$winnt$.inf", true),
        ("PLACE_~1", true),
        ("E-mails2.zip", true),
        ("12345678.123", true),
        ("123456789", false),
        ("a.html", false),
        ("a.b.c", false),
        ("a.", false),
        (".a", false),
        ("", false),
        (".", false),
        ("..", false),
        // so they have twins on real volumes
        ("Crew 3.jpg", false),
        ("Blüte.jpg", false),
        ("DE2[1].gif", false),
        ("a+b", false),
        ("a,b", false),
        ("a;b", false),
        ("a=b", false),
        ("a\u{1}", false),
    ] {
        assert_eq!(is_short(&units(name)), short, "{name}");
    }
    assert!(!is_short(&[0xD83D]));
}

#[test]
fn checksums_pair_units_and_rotate() {
    // by hand: one unit is the high byte of a pair
    assert_eq!(checksum(&[]), 0);
    assert_eq!(checksum(&units("a")), 0x6100);
    assert_eq!(checksum(&units("ab")), 0x6162);
    // 0x6162 rotated right by one is 0x30B1
    assert_eq!(checksum(&units("abc")), 0x30B1 + 0x6300);
    assert_eq!(checksum(&units("abcd")), 0x30B1 + 0x6364);
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn twins_are_8_3_names_in_upper_case_and_each_another(
        name in prop::collection::vec(prop_oneof![0x20_u16..0x7F, any::<u16>()], 0..30),
    ) {
        let tried = candidates(&name, 130);
        prop_assert_eq!(tried.len(), 130);
        for short in &tried {
            prop_assert!(is_short(&units(short)), "{}", short);
            prop_assert_eq!(&short.to_ascii_uppercase(), short);
        }
        let mut distinct = tried.clone();
        distinct.sort();
        distinct.dedup();
        prop_assert_eq!(distinct.len(), tried.len());
    }
}
