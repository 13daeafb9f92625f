//! Numbers and tables for people.

use std::time::Duration;

/// How sizes are shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Sizes {
    /// `3.1 MiB`.
    Human,
    /// `3,212,078`.
    Bytes,
}

impl Sizes {
    /// By the option `--bytes`.
    pub(crate) fn exact(bytes: bool) -> Self {
        if bytes { Self::Bytes } else { Self::Human }
    }

    /// A size as text.
    pub(crate) fn show(self, bytes: u64) -> String {
        match self {
            Self::Human => size(bytes),
            Self::Bytes => count(bytes),
        }
    }
}

/// `1,234,567`.
pub(crate) fn count(n: impl Into<u128>) -> String {
    let digits = n.into().to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `1 file`, `2 files`.
pub(crate) fn counted(n: u64, one: &str, many: &str) -> String {
    format!("{} {}", count(n), if n == 1 { one } else { many })
}

/// `17 B`, `3.1 MiB`, `120 GiB`: three digits at most beyond the bytes.
pub(crate) fn size(bytes: u64) -> String {
    const UNITS: [&str; 7] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let mut unit = 0;
    let mut scaled = u128::from(bytes) * 10;
    // rounded to a tenth (below 10) or to one, so that 1,023.96 KiB becomes 1.0 MiB and not 1024.0 KiB
    let rounded = |scaled: u128| {
        if (scaled + 5) / 10 < 100 {
            scaled
        } else {
            (scaled + 5) / 10 * 10
        }
    };
    let mut value = scaled;
    while unit + 1 < UNITS.len() && value >= 10_240 {
        unit += 1;
        scaled = (u128::from(bytes) * 10 + (1_u128 << (10 * unit - 1))) >> (10 * unit);
        value = rounded(scaled);
    }
    if value < 1000 {
        format!("{}.{} {}", value / 10, value % 10, UNITS[unit])
    } else {
        format!("{} {}", value / 10, UNITS[unit])
    }
}

/// A difference: `+3.1 MiB`, `-17 B`, `0 B`.
pub(crate) fn change(from: u64, to: u64, sizes: Sizes) -> String {
    match to.cmp(&from) {
        std::cmp::Ordering::Equal => sizes.show(0),
        std::cmp::Ordering::Greater => format!("+{}", sizes.show(to - from)),
        std::cmp::Ordering::Less => format!("-{}", sizes.show(from - to)),
    }
}

/// `12.3 per link`-like quotients: a tenth where it is small.
pub(crate) fn ratio(total: f64, parts: u64) -> String {
    if parts == 0 {
        return "-".into();
    }
    // OK as cast: shown with one decimal
    #[allow(clippy::cast_precision_loss)]
    let quotient = total / parts as f64;
    if quotient.abs() < 99.95 && quotient.fract().abs() >= 0.05 {
        format!("{quotient:.1}")
    } else {
        format!("{quotient:.0}")
    }
}

/// A number of bytes as a person gives it: `4096`, `64K`, `10G`, `1TiB`. The letters stand for powers of 1024, as they
/// do in `truncate` and `mkfs`.
pub(crate) fn parse_size(text: &str) -> Result<u64, String> {
    const LETTERS: &str = "KMGTPE";
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = text.split_at(digits);
    let unit = unit.trim_start();
    let plain = unit.strip_suffix("iB").unwrap_or(unit);
    let power = match plain.to_ascii_uppercase().as_str() {
        "" | "B" if plain.len() == unit.len() => Some(0),
        letter if letter.len() == 1 => LETTERS.find(letter).map(|at| at + 1),
        _ => None,
    };
    let number: u64 = number
        .parse()
        .map_err(|_| "a size is a whole number of bytes, or one with K, M, G or T behind it".to_owned())?;
    let power = power.ok_or_else(|| format!("'{unit}' is none of K, M, G, T, P and E"))?;
    (0..power)
        .try_fold(number, |bytes, _| bytes.checked_mul(1024))
        .ok_or_else(|| "no device has so many bytes".to_owned())
}

/// A time such as `30s`, `10m`, `2h` or `1d`; at least a second.
pub(crate) fn parse_duration(text: &str) -> Result<Duration, String> {
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = text.split_at(digits);
    let seconds: u64 = match unit.trim() {
        "s" => 1,
        "m" | "min" => 60,
        "h" => 3600,
        "d" => 86400,
        _ => return Err("a time is a whole number with s, m, h or d behind it".to_owned()),
    };
    number
        .parse::<u64>()
        .ok()
        .and_then(|number| number.checked_mul(seconds))
        // so that a clock can count it
        .filter(|seconds| (1..=86400 * 366).contains(seconds))
        .map(Duration::from_secs)
        .ok_or_else(|| "a time lies between a second and a year".to_owned())
}

/// `12 ms`, `1.4 s`, `2 min 5 s`.
pub(crate) fn duration(time: Duration) -> String {
    let millis = time.as_millis();
    match millis {
        0..1000 => format!("{millis} ms"),
        1000..60_000 => format!("{}.{} s", millis / 1000, millis % 1000 / 100),
        _ => format!("{} min {} s", millis / 60_000, millis % 60_000 / 1000),
    }
}

/// Where a column's text stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Align {
    Left,
    Right,
}

/// Rows of text in columns; the last column may be of any length.
#[derive(Debug)]
pub(crate) struct Table {
    columns: Vec<Align>,
    rows: Vec<Vec<String>>,
    indent: usize,
}

impl Table {
    pub(crate) fn new(columns: &[Align]) -> Self {
        Self {
            columns: columns.into(),
            rows: Vec::new(),
            indent: 0,
        }
    }

    pub(crate) fn indent(mut self, indent: usize) -> Self {
        self.indent = indent;
        self
    }

    pub(crate) fn row<S: Into<String>>(&mut self, cells: impl IntoIterator<Item = S>) {
        self.rows.push(cells.into_iter().map(Into::into).collect());
    }

    /// The lines of the table, each ended by a line feed.
    pub(crate) fn text(&self) -> String {
        let width = |column: usize| {
            self.rows
                .iter()
                .filter_map(|row| row.get(column))
                .map(|cell| cell.chars().count())
                .max()
                .unwrap_or(0)
        };
        let widths: Vec<usize> = (0..self.columns.len()).map(width).collect();
        let mut text = String::new();
        for row in &self.rows {
            let mut line = " ".repeat(self.indent);
            for (at, cell) in row.iter().enumerate() {
                if at > 0 {
                    line.push_str("  ");
                }
                let fill = widths
                    .get(at)
                    .map_or(0, |width| width.saturating_sub(cell.chars().count()));
                match self.columns.get(at) {
                    Some(Align::Right) => {
                        line.push_str(&" ".repeat(fill));
                        line.push_str(cell);
                    }
                    _ => {
                        line.push_str(cell);
                        line.push_str(&" ".repeat(fill));
                    }
                }
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_have_separators() {
        for (n, text) in [
            (0_u64, "0"),
            (999, "999"),
            (1000, "1,000"),
            (1_234_567, "1,234,567"),
        ] {
            assert_eq!(count(n), text);
        }
        assert_eq!(counted(1, "name", "names"), "1 name");
        assert_eq!(counted(2000, "name", "names"), "2,000 names");
    }

    #[test]
    fn sizes_are_binary_and_round_over_into_the_next_unit() {
        for (bytes, text) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1.0 KiB"),
            (1536, "1.5 KiB"),
            (10_240, "10.0 KiB"),
            (102_400, "100 KiB"),
            (1024 * 1024 - 1, "1.0 MiB"),
            (3_212_078, "3.1 MiB"),
            (u64::MAX, "16.0 EiB"),
        ] {
            assert_eq!(size(bytes), text, "{bytes}");
        }
        assert_eq!(Sizes::Bytes.show(3_212_078), "3,212,078");
        assert_eq!(change(5, 2053, Sizes::Human), "+2.0 KiB");
        assert_eq!(change(2053, 5, Sizes::Bytes), "-2,048");
        assert_eq!(change(5, 5, Sizes::Human), "0 B");
    }

    #[test]
    fn quotients_and_times_keep_what_matters() {
        assert_eq!(ratio(552_960.0, 1023), "541");
        assert_eq!(ratio(100.0, 3), "33.3");
        assert_eq!(ratio(1.0, 0), "-");
        assert_eq!(duration(Duration::from_millis(12)), "12 ms");
        assert_eq!(duration(Duration::from_millis(1449)), "1.4 s");
        assert_eq!(duration(Duration::from_secs(125)), "2 min 5 s");
    }

    #[test]
    fn sizes_are_read_with_and_without_a_unit() {
        for (text, bytes) in [
            ("0", 0),
            ("4096", 4096),
            ("17B", 17),
            ("64K", 64 << 10),
            ("512m", 512 << 20),
            ("10G", 10 << 30),
            ("10 GiB", 10 << 30),
            ("1TiB", 1 << 40),
        ] {
            assert_eq!(parse_size(text), Ok(bytes), "{text}");
        }
        for text in [
            "",
            "G",
            "-1",
            "1.5G",
            "10X",
            "10KB",
            "1iB",
            "16E",
            "99999999999999999999",
        ] {
            assert!(parse_size(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_table_lines_up() {
        let mut table = Table::new(&[Align::Left, Align::Right]).indent(2);
        table.row(["a", "1"]);
        table.row(["long", "1,000"]);
        assert_eq!(table.text(), "  a         1\n  long  1,000\n");
    }
}
