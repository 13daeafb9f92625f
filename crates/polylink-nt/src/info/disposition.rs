//! FILE_DISPOSITION_INFORMATION, with its `_EX`.

use alloc::vec;
use alloc::vec::Vec;

use bitflags::bitflags;

use super::bytes::u32_at;
use super::{EncodeError, Form};
use crate::NtStatus;

bitflags! {
    /// The flags of a disposition (\[MS-FSCC\] FileDispositionInformation; `ntddk.h`). None of them: do not delete.
    ///
    /// Bits that are none of these are kept: what they mean is for the receiver to judge.
    #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
    pub struct DispositionFlags: u32 {
        /// The name goes. The only one that the classic form has (`DeleteFile`).
        const DELETE = 0x1;
        /// The name goes as soon as this handle closes, whoever else has the file open.
        const POSIX_SEMANTICS = 0x2;
        /// A file that is mapped as an image is not deleted, even if it has other names.
        const FORCE_IMAGE_SECTION_CHECK = 0x4;
        /// It is the state of delete-on-close that is set or cleared.
        const ON_CLOSE = 0x8;
        /// A read-only file may be deleted. Needs the right to write attributes.
        const IGNORE_READONLY_ATTRIBUTE = 0x10;
    }
}

/// A request to delete the name that a handle was opened by, or not to.
///
/// Its bytes are the same in both layouts.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct DispositionInformation {
    /// What to do.
    pub flags: DispositionFlags,
}

impl DispositionInformation {
    /// `sizeof` the structure: one BOOLEAN, or 32 flags.
    #[must_use]
    pub const fn min_len(form: Form) -> usize {
        match form {
            Form::Classic => 1,
            Form::Extended => 4,
        }
    }

    /// Its bytes.
    ///
    /// # Errors
    ///
    /// [`EncodeError::FlagsNeedExtended`] for flags that the classic form has no place for.
    pub fn encode(self, form: Form) -> Result<Vec<u8>, EncodeError> {
        let beyond = self.flags - DispositionFlags::DELETE;
        match form {
            Form::Classic if !beyond.is_empty() => {
                Err(EncodeError::FlagsNeedExtended { flags: beyond.bits() })
            }
            Form::Classic => Ok(vec![u8::from(self.flags.contains(DispositionFlags::DELETE))]),
            Form::Extended => Ok(self.flags.bits().to_le_bytes().to_vec()),
        }
    }

    /// Reads it from the buffer of a call.
    ///
    /// The classic BOOLEAN is one byte: the four bytes of the BOOL `0x100` mean FALSE (asserted by Wine's tests on
    /// Windows).
    ///
    /// # Errors
    ///
    /// `INFO_LENGTH_MISMATCH` for a buffer that is shorter than the structure.
    pub fn decode(bytes: &[u8], form: Form) -> Result<Self, NtStatus> {
        let flags = match form {
            Form::Classic => bytes.first().map(|&delete| match delete {
                0 => DispositionFlags::empty(),
                _ => DispositionFlags::DELETE,
            }),
            Form::Extended => u32_at(bytes, 0).map(DispositionFlags::from_bits_retain),
        };
        let flags = flags.ok_or(NtStatus::INFO_LENGTH_MISMATCH)?;
        Ok(Self { flags })
    }
}
