//! FILE_LINK_INFORMATION and FILE_RENAME_INFORMATION, with their `_EX`.

use alloc::vec;
use alloc::vec::Vec;
use core::num::NonZeroU64;

use bitflags::bitflags;

use super::bytes::{field, put, put_units, u32_at, u64_at, units};
use super::{EncodeError, Form, Layout};
use crate::NtStatus;

bitflags! {
    /// The flags of a link or a rename: those of `FILE_LINK_INFORMATION_EX` and `FILE_RENAME_INFORMATION_EX`, which
    /// have the same bits (`ntifs.h`).
    ///
    /// Bits that are none of these are kept: what they mean is for the receiver to judge.
    #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
    pub struct LinkFlags: u32 {
        /// A name that exists is replaced. The only one that the classic form has (`ReplaceIfExists`).
        const REPLACE_IF_EXISTS = 0x1;
        /// A replaced file that is open stays usable through its handles. Needs `REPLACE_IF_EXISTS`.
        const POSIX_SEMANTICS = 0x2;
        /// The pin state is not inherited from the new directory. Rename only.
        const SUPPRESS_PIN_STATE_INHERITANCE = 0x4;
        /// The storage reserve is not inherited from the new directory.
        const SUPPRESS_STORAGE_RESERVE_INHERITANCE = 0x8;
        /// No space may become free for others by this.
        const NO_INCREASE_AVAILABLE_SPACE = 0x10;
        /// No space of others may be used up by this.
        const NO_DECREASE_AVAILABLE_SPACE = 0x20;
        /// Both of the above.
        const PRESERVE_AVAILABLE_SPACE = 0x30;
        /// A read-only file may be replaced. Needs the right to write the replaced file's attributes.
        const IGNORE_READONLY_ATTRIBUTE = 0x40;
        /// The storage reserve of the new directory may be resized.
        const FORCE_RESIZE_TARGET_SR = 0x80;
        /// The storage reserve of the old directory may be resized.
        const FORCE_RESIZE_SOURCE_SR = 0x100;
        /// Both of the above.
        const FORCE_RESIZE_SR = 0x180;
    }
}

/// A request to link or to rename: the same structure for both, as it is in NT.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct LinkInformation {
    /// What to do with a name that exists, and more.
    pub flags: LinkFlags,
    /// A handle of the directory that `name` is relative to; without it `name` is an absolute NT path, or a plain name
    /// beside the old one.
    pub root: Option<NonZeroU64>,
    /// The new name, without a NUL at its end.
    pub name: Vec<u16>,
}

/// Where the fields lie (\[MS-FSCC\] FileLinkInformation).
struct Offsets {
    root: usize,
    name_length: usize,
    name: usize,
    /// `sizeof` the structure, with its one unit of name and its padding.
    size: usize,
}

const fn offsets(layout: Layout) -> Offsets {
    match layout {
        Layout::Bits32 => Offsets {
            root: 4,
            name_length: 8,
            name: 12,
            size: 16,
        },
        Layout::Bits64 => Offsets {
            root: 8,
            name_length: 16,
            name: 20,
            size: 24,
        },
    }
}

impl LinkInformation {
    /// `sizeof` the structure: the least that a buffer has, however short the name.
    #[must_use]
    pub const fn min_len(layout: Layout) -> usize {
        offsets(layout).size
    }

    /// Bytes that it takes.
    #[must_use]
    pub fn encoded_len(&self, layout: Layout) -> usize {
        let offsets = offsets(layout);
        offsets.size.max(offsets.name + 2 * self.name.len())
    }

    /// Its bytes.
    ///
    /// # Errors
    ///
    /// [`EncodeError`], where the layout or the form has no place for a value.
    pub fn encode(&self, layout: Layout, form: Form) -> Result<Vec<u8>, EncodeError> {
        let mut bytes = vec![0; self.encoded_len(layout)];
        self.encode_into(&mut bytes, layout, form)?;
        Ok(bytes)
    }

    /// Writes its bytes to the front of a buffer (`NtSetInformationFile` wants it aligned to 4 bytes, 8 for 64-bit
    /// programs) and tells how many. What lies behind them is left alone.
    ///
    /// # Errors
    ///
    /// [`EncodeError`], where the layout or the form has no place for a value; nothing is written then.
    pub fn encode_into(&self, buffer: &mut [u8], layout: Layout, form: Form) -> Result<usize, EncodeError> {
        let offsets = offsets(layout);
        if self.name.is_empty() {
            return Err(EncodeError::EmptyName);
        }
        let too_long = EncodeError::NameTooLong {
            units: self.name.len(),
        };
        let name_bytes = self
            .name
            .len()
            .checked_mul(2)
            .and_then(|len| u32::try_from(len).ok());
        let name_bytes = name_bytes.ok_or(too_long)?;
        let beyond = self.flags - LinkFlags::REPLACE_IF_EXISTS;
        if form == Form::Classic && !beyond.is_empty() {
            return Err(EncodeError::FlagsNeedExtended { flags: beyond.bits() });
        }
        let root = self.root.map_or(0, NonZeroU64::get);
        let root32 = u32::try_from(root);
        if layout == Layout::Bits32 && root32.is_err() {
            return Err(EncodeError::HandleTooWide { handle: root });
        }
        let needed = self.encoded_len(layout);
        let Some(bytes) = buffer.get_mut(..needed) else {
            return Err(EncodeError::BufferTooSmall { needed });
        };

        bytes.fill(0);
        // the classic BOOLEAN is the lowest byte of the flags' place, and its TRUE their lowest bit
        put(bytes, 0, self.flags.bits().to_le_bytes());
        match (layout, root32) {
            (Layout::Bits32, Ok(root)) => put(bytes, offsets.root, root.to_le_bytes()),
            _ => put(bytes, offsets.root, root.to_le_bytes()),
        }
        put(bytes, offsets.name_length, name_bytes.to_le_bytes());
        put_units(bytes, offsets.name, &self.name);
        Ok(needed)
    }

    /// Reads it from the buffer of a call.
    ///
    /// Of the classic form's first field one byte counts, for BOOLEAN is one byte: the four bytes of the BOOL `0x100`
    /// mean FALSE. Padding, and bytes behind the name, are not looked at.
    ///
    /// # Errors
    ///
    /// `INFO_LENGTH_MISMATCH` for a buffer that is shorter than the structure, even if the name would fit; then
    /// `INVALID_PARAMETER` for a name length that is 0, odd, or goes beyond the buffer. In this order, because a length
    /// field that the buffer may not even hold cannot be judged first; so does the I/O manager, which looks the least
    /// length up by class, and \[MS-FSA\] 2.1.5.15.7 opens with the same check.
    pub fn decode(bytes: &[u8], layout: Layout, form: Form) -> Result<Self, NtStatus> {
        let offsets = offsets(layout);
        if bytes.len() < offsets.size {
            return Err(NtStatus::INFO_LENGTH_MISMATCH);
        }
        let flags = match form {
            Form::Classic => field(bytes, 0).map(|[replace]: [u8; 1]| match replace {
                0 => LinkFlags::empty(),
                _ => LinkFlags::REPLACE_IF_EXISTS,
            }),
            Form::Extended => u32_at(bytes, 0).map(LinkFlags::from_bits_retain),
        };
        let root = match layout {
            Layout::Bits32 => u32_at(bytes, offsets.root).map(u64::from),
            Layout::Bits64 => u64_at(bytes, offsets.root),
        };
        let (Some(flags), Some(root), Some(len)) = (flags, root, u32_at(bytes, offsets.name_length)) else {
            return Err(NtStatus::INFO_LENGTH_MISMATCH);
        };
        let len = len as usize;
        match bytes[offsets.name..].get(..len) {
            Some(name) if len != 0 && len.is_multiple_of(2) => Ok(Self {
                flags,
                root: NonZeroU64::new(root),
                name: units(name).collect(),
            }),
            _ => Err(NtStatus::INVALID_PARAMETER),
        }
    }
}
