//! The names that Win32 keeps for devices.

/// Whether Win32 takes this name in a path for a device: CON, PRN, AUX, NUL, COM1 to COM9, LPT1 to LPT9 (with the
/// digits ¹, ² and ³ as well), CONIN$ and CONOUT$, in any case.
///
/// As older systems do, what follows a dot or colon does not help (`nul.txt`), nor do spaces before it. NT itself has
/// nothing against such names, nor has Win32 behind `\\?\` (Windows API, "Naming Files, Paths, and Namespaces").
#[must_use]
pub fn is_dos_device(name: &[u16]) -> bool {
    let stem = name
        .split(|unit| matches!(unit, 0x2E | 0x3A))
        .next()
        .unwrap_or_default();
    let len = stem
        .iter()
        .rposition(|&unit| unit != 0x20)
        .map_or(0, |last| last + 1);
    let stem = &stem[..len];

    ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"]
        .iter()
        .any(|device| is_ascii(stem, device))
        || match stem.split_last() {
            // 1 to 9, and superscript 2, 3 and 1
            Some((0x31..=0x39 | 0xB2 | 0xB3 | 0xB9, port)) => is_ascii(port, "COM") || is_ascii(port, "LPT"),
            _ => false,
        }
}

/// Whether units are this text in upper or lower case.
fn is_ascii(units: &[u16], upper: &str) -> bool {
    units.len() == upper.len()
        && units
            .iter()
            .zip(upper.bytes())
            .all(|(&unit, byte)| u8::try_from(unit).is_ok_and(|unit| unit.to_ascii_uppercase() == byte))
}
