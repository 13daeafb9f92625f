//! `$REPARSE_POINT`: symbolic links, junctions, and the data of filters (\[MS-FSCC\] 2.1.2).

use zerocopy::FromBytes as _;

use crate::error::{Corrupt, CorruptKind, Result};
use crate::layout::attribute::AttributeKind;
use crate::layout::value::{ReparseNames, ReparsePoint};
use crate::record::units;
use crate::stream::Stream;
use crate::volume::Volume;

/// What a reparse point is.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Reparse {
    /// A symbolic link.
    Symlink {
        /// The path that is followed.
        target: Vec<u16>,
        /// The path for people.
        print: Vec<u16>,
        /// Whether it begins in the link's own directory.
        relative: bool,
    },
    /// A junction or a mounted volume.
    Junction {
        /// The path that is followed.
        target: Vec<u16>,
        /// The path for people.
        print: Vec<u16>,
    },
    /// The Windows Overlay Filter: the content lies compressed elsewhere.
    OverlayFilter,
    /// Something else: cloud files, deduplication, sockets of the Linux subsystem.
    Other {
        /// The tag.
        tag: u32,
    },
}

const TAG_JUNCTION: u32 = 0xA000_0003;
const TAG_SYMLINK: u32 = 0xA000_000C;
const TAG_OVERLAY: u32 = 0x8000_0017;

impl Reparse {
    /// Takes the value of the attribute apart.
    ///
    /// # Errors
    ///
    /// Where it is shorter than what it should hold.
    pub fn parse(value: &[u8]) -> Result<Self, Corrupt> {
        let damage = |what| {
            Corrupt::new(CorruptKind::Value {
                kind: AttributeKind::REPARSE_POINT,
                what,
            })
        };
        let (header, rest) =
            ReparsePoint::read_from_prefix(value).map_err(|_| damage("it has less than 8 bytes"))?;
        let data = rest
            .get(..usize::from(header.data_len.get()))
            .ok_or_else(|| damage("its data is cut"))?;
        let names = || ReparseNames::read_from_prefix(data).map_err(|_| damage("its header is cut"));
        let path = |names: &[u8], offset: u16, len: u16| {
            let start = usize::from(offset);
            names
                .get(start..start.saturating_add(usize::from(len)))
                .map(units)
                .ok_or_else(|| damage("a path leads out of it"))
        };
        Ok(match header.tag.get() {
            TAG_SYMLINK => {
                let (names, rest) = names()?;
                let (flags, rest) = rest
                    .split_first_chunk::<4>()
                    .ok_or_else(|| damage("its flags are cut"))?;
                Self::Symlink {
                    target: path(rest, names.substitute_offset.get(), names.substitute_len.get())?,
                    print: path(rest, names.print_offset.get(), names.print_len.get())?,
                    relative: u32::from_le_bytes(*flags) & 1 != 0,
                }
            }
            TAG_JUNCTION => {
                let (names, rest) = names()?;
                Self::Junction {
                    target: path(rest, names.substitute_offset.get(), names.substitute_len.get())?,
                    print: path(rest, names.print_offset.get(), names.print_len.get())?,
                }
            }
            TAG_OVERLAY => Self::OverlayFilter,
            tag => Self::Other { tag },
        })
    }

    /// Reads the value of a `$REPARSE_POINT` and takes it apart.
    ///
    /// # Errors
    ///
    /// As [`Reparse::parse`] and [`Stream::read`].
    pub fn read(volume: &Volume, stream: &Stream) -> Result<Self> {
        Ok(Self::parse(&volume.read_all(stream)?)?)
    }

    /// Whether a tag is that of a symbolic link or a junction.
    #[must_use]
    pub const fn is_link_tag(tag: u32) -> bool {
        matches!(tag, TAG_JUNCTION | TAG_SYMLINK)
    }

    /// The tag.
    #[must_use]
    pub fn tag(&self) -> u32 {
        match self {
            Self::Symlink { .. } => TAG_SYMLINK,
            Self::Junction { .. } => TAG_JUNCTION,
            Self::OverlayFilter => TAG_OVERLAY,
            Self::Other { tag } => *tag,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(tag: u32, flags: &[u8], text: &str) -> Vec<u8> {
        let name: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let len = u16::try_from(name.len()).unwrap();
        let mut data = Vec::new();
        for field in [0, len, 0, len] {
            data.extend(field.to_le_bytes());
        }
        data.extend(flags);
        data.extend(&name);
        let mut value = tag.to_le_bytes().to_vec();
        value.extend(u16::try_from(data.len()).unwrap().to_le_bytes());
        value.extend([0, 0]);
        value.extend(data);
        value
    }

    #[test]
    fn links_and_junctions_have_a_target() {
        let target: Vec<u16> = "..\\a".encode_utf16().collect();
        let print = target.clone();
        let parsed = Reparse::parse(&value(TAG_SYMLINK, &[1, 0, 0, 0], "..\\a"));
        assert_eq!(
            parsed.unwrap(),
            Reparse::Symlink {
                target: target.clone(),
                print: print.clone(),
                relative: true
            }
        );
        let parsed = Reparse::parse(&value(TAG_JUNCTION, &[], "..\\a"));
        assert_eq!(parsed.unwrap(), Reparse::Junction { target, print });
        assert_eq!(
            Reparse::parse(&value(7, &[], "x")).unwrap(),
            Reparse::Other { tag: 7 }
        );
    }

    #[test]
    fn every_prefix_is_an_error_and_no_panic() {
        let whole = value(TAG_SYMLINK, &[0; 4], "target");
        for len in 0..whole.len() {
            assert!(Reparse::parse(&whole[..len]).is_err(), "{len}");
        }
    }
}
