//! Names, times and attributes of NTFS as text.

use polylink_core::{Name, shown_name};
use polylink_nt::name::wtf8_of_units;
use polylink_ntfs::FileReference;

/// A name for the screen.
pub(super) fn name(units: &[u16]) -> String {
    shown_name(Name::new(&wtf8_of_units(units)))
}

/// A time, 100 ns since 1601, as `2007-02-28T12:34:56.1234567Z`.
pub(super) fn time(time: u64) -> String {
    let (seconds, ticks) = (time / 10_000_000, time % 10_000_000);
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = civil(days);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{ticks:07}Z")
}

/// Appends times to the second, for columns. Files side by side are mostly of the same day: its date is kept.
#[derive(Debug, Default)]
pub(super) struct ShortTimes {
    /// The day, counted from 1601-01-01, and its date with a space behind; nothing before the first time.
    day: u64,
    date: Vec<u8>,
}

impl ShortTimes {
    pub(super) fn push(&mut self, text: &mut Vec<u8>, time: u64) {
        let seconds = time / 10_000_000;
        let (day, second) = (seconds / 86_400, seconds % 86_400);
        if self.day != day || self.date.is_empty() {
            let (year, month, of_month) = civil(day);
            self.day = day;
            self.date.clear();
            push_number(&mut self.date, year, 4, b'0');
            for number in [month, of_month] {
                self.date.push(b'-');
                push_number(&mut self.date, number, 2, b'0');
            }
            self.date.push(b' ');
        }
        text.extend_from_slice(&self.date);
        let mut clock = *b"00:00:00";
        for (end, number) in [(2, second / 3600), (5, second / 60 % 60), (8, second % 60)] {
            digits(&mut clock[..end], number);
        }
        text.extend_from_slice(&clock);
    }
}

/// Most bytes that a number with what it is filled up with can take.
const WIDEST: usize = 32;

/// Writes a number to the end of a place, without what fills it up; answers where it begins.
fn digits(place: &mut [u8], number: u64) -> usize {
    let mut rest = number;
    for (at, digit) in place.iter_mut().enumerate().rev() {
        *digit = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            return at;
        }
    }
    0
}

/// Appends a number, filled up from the left to at most 32 bytes. `format!` takes several times as long, and lists
/// have many numbers.
pub(super) fn push_number(text: &mut Vec<u8>, number: u64, width: usize, fill: u8) {
    let mut place = [fill; WIDEST];
    let start = digits(&mut place, number);
    text.extend_from_slice(&place[start.min(WIDEST.saturating_sub(width))..]);
}

/// Appends a file id, filled up with spaces from the left to at most 32 bytes.
pub(super) fn push_file_id(text: &mut Vec<u8>, file: FileReference, width: usize) {
    let mut place = [b' '; WIDEST];
    let dash = digits(&mut place, u64::from(file.sequence())) - 1;
    place[dash] = b'-';
    let start = digits(&mut place[..dash], file.record().0);
    text.extend_from_slice(&place[start.min(WIDEST.saturating_sub(width))..]);
}

/// Appends a name for the screen.
pub(super) fn push_name(text: &mut Vec<u8>, name: &[u8]) {
    // without a way out of the loop: names are nearly always plain, and so many bytes are looked at together
    let plain = |byte: u8| (b' '..=b'~').contains(&byte);
    if name.iter().fold(true, |all, &byte| all & plain(byte)) {
        text.extend_from_slice(name);
    } else {
        text.extend_from_slice(shown_name(Name::new(name)).as_bytes());
    }
}

/// Year, month and day, from days since 1601-01-01: the first day of a cycle of 400 years.
fn civil(days: u64) -> (u64, u64, u64) {
    let (cycle, mut day) = (days / 146_097, days % 146_097);
    // the last day of a century, and of four years, belongs to what it ends
    let century = (day / 36_524).min(3);
    day -= century * 36_524;
    let four = day / 1461;
    day -= four * 1461;
    let year = (day / 365).min(3);
    day -= year * 365;
    let is_leap = year == 3 && (four != 24 || century == 3);
    let lengths = [
        31,
        if is_leap { 29 } else { 28 },
        31,
        30,
        31,
        30,
        31,
        31,
        30,
        31,
        30,
        31,
    ];
    let mut month = 1;
    for length in lengths {
        if day < length {
            break;
        }
        day -= length;
        month += 1;
    }
    (
        1601 + cycle * 400 + century * 100 + four * 4 + year,
        month,
        day + 1,
    )
}

/// The names of `FILE_ATTRIBUTE_…` (\[MS-FSCC\] 2.6), without that.
const ATTRIBUTES: [(u32, &str); 17] = [
    (0x1, "read-only"),
    (0x2, "hidden"),
    (0x4, "system"),
    (0x10, "directory"),
    (0x20, "archive"),
    (0x40, "device"),
    (0x80, "normal"),
    (0x100, "temporary"),
    (0x200, "sparse"),
    (0x400, "reparse point"),
    (0x800, "compressed"),
    (0x1000, "offline"),
    (0x2000, "not indexed"),
    (0x4000, "encrypted"),
    // in the name of a directory, and of a file with another index
    (0x1000_0000, "has names"),
    (0x2000_0000, "has an index"),
    (0x8000, "integrity"),
];

/// Attributes by name, unknown ones as a number.
pub(super) fn attributes(bits: u32) -> String {
    let mut names: Vec<String> = Vec::new();
    let mut rest = bits;
    for (bit, name) in ATTRIBUTES {
        if bits & bit != 0 {
            names.push(name.to_owned());
            rest &= !bit;
        }
    }
    if rest != 0 {
        names.push(format!("{rest:#x}"));
    }
    if names.is_empty() {
        return "none".to_owned();
    }
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use polylink_ntfs::RecordNumber;

    use super::*;

    #[test]
    fn times_of_all_kinds_of_years_are_right() {
        // 100 ns since 1601 of days that `date -d` was asked for
        let day = |days: u64| time(days * 864_000_000_000);
        for (days, text) in [
            (0, "1601-01-01"),
            (364, "1601-12-31"),
            (1460, "1604-12-31"),
            (36_523, "1700-12-31"),
            (36_524, "1701-01-01"),
            (134_774, "1970-01-01"),
            (145_790, "2000-02-29"),
            (146_096, "2000-12-31"),
            (146_097, "2001-01-01"),
            (148_348, "2007-03-02"),
            (154_563, "2024-03-07"),
        ] {
            assert_eq!(&day(days)[..10], text, "{days}");
        }
        assert_eq!(time(116_444_736_001_234_567), "1970-01-01T00:00:00.1234567Z");
        let mut times = ShortTimes::default();
        for time in [
            0,
            116_444_736_001_234_567,
            116_444_735_999_999_999,
            116_444_735_990_000_000,
            133_801_234_560_000_000,
            u64::MAX,
        ] {
            let mut text = Vec::new();
            times.push(&mut text, time);
            let long = super::time(time);
            let (long, _) = long.split_once('.').unwrap();
            assert_eq!(String::from_utf8(text).unwrap(), long.replace('T', " "));
        }
        assert_eq!(time(u64::MAX), "60056-05-28T05:36:10.9551615Z");
    }

    #[test]
    fn numbers_and_names_are_as_formatting_gives_them() {
        for number in [0, 7, 10, 99, 12_345, u64::MAX] {
            let mut text = Vec::new();
            push_number(&mut text, number, 6, b' ');
            assert_eq!(text, format!("{number:>6}").as_bytes());
        }
        for (record, sequence) in [(0, 0), (5, 5), (0xFFFF_FFFF_FFFF, 65_535), (12_345, 10)] {
            let file = FileReference::new(RecordNumber(record), sequence);
            let mut text = Vec::new();
            push_file_id(&mut text, file, 12);
            assert_eq!(text, format!("{:>12}", file.to_string()).as_bytes());
        }
        for name in ["plain ~", "a\tb", "\u{7f}", "caf\u{e9}"] {
            let mut text = Vec::new();
            push_name(&mut text, name.as_bytes());
            assert_eq!(text, shown_name(Name::new(name.as_bytes())).as_bytes());
        }
    }

    #[test]
    fn attributes_are_named_and_unknown_ones_kept() {
        assert_eq!(attributes(0x21), "read-only, archive");
        assert_eq!(attributes(0), "none");
        assert_eq!(attributes(0x8000_0000), "0x80000000");
    }
}
