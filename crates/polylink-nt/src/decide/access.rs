//! Access masks, share modes and options of an open.

use bitflags::bitflags;

bitflags! {
    /// Rights on a file or directory: an `ACCESS_MASK` (\[MS-SMB2\] 2.2.13.1; `winnt.h`).
    ///
    /// Some bits have one name for files and another for directories.
    #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
    pub struct Access: u32 {
        /// Read the data of a file.
        const READ_DATA = 0x1;
        /// List a directory.
        const LIST_DIRECTORY = 0x1;
        /// Write the data of a file.
        const WRITE_DATA = 0x2;
        /// Make files, and names of files, in a directory.
        const ADD_FILE = 0x2;
        /// Write behind a file's end.
        const APPEND_DATA = 0x4;
        /// Make directories in a directory.
        const ADD_SUBDIRECTORY = 0x4;
        /// Read extended attributes.
        const READ_EA = 0x8;
        /// Write extended attributes.
        const WRITE_EA = 0x10;
        /// Run a file.
        const EXECUTE = 0x20;
        /// Go through a directory.
        const TRAVERSE = 0x20;
        /// Delete what is in a directory, whatever the right on it.
        const DELETE_CHILD = 0x40;
        /// Read attributes, times, sizes and numbers of names.
        const READ_ATTRIBUTES = 0x80;
        /// Write attributes and times.
        const WRITE_ATTRIBUTES = 0x100;
        /// Delete it, or rename it.
        const DELETE = 0x1_0000;
        /// Read who owns it and who may do what.
        const READ_CONTROL = 0x2_0000;
        /// Write who may do what.
        const WRITE_DAC = 0x4_0000;
        /// Write who owns it.
        const WRITE_OWNER = 0x8_0000;
        /// Wait on the handle; synchronous handles need it.
        const SYNCHRONIZE = 0x10_0000;
        /// Read and write the list of what is audited.
        const ACCESS_SYSTEM_SECURITY = 0x100_0000;
        /// In a request: whatever there is.
        const MAXIMUM_ALLOWED = 0x200_0000;
        /// In a request: [`Self::ALL`].
        const GENERIC_ALL = 0x1000_0000;
        /// In a request: [`Self::EXECUTING`].
        const GENERIC_EXECUTE = 0x2000_0000;
        /// In a request: [`Self::WRITING`].
        const GENERIC_WRITE = 0x4000_0000;
        /// In a request: [`Self::READING`].
        const GENERIC_READ = 0x8000_0000;

        /// What `GENERIC_READ` means for files (`FILE_GENERIC_READ`).
        const READING = 0x12_0089;
        /// What `GENERIC_WRITE` means for files (`FILE_GENERIC_WRITE`).
        const WRITING = 0x12_0116;
        /// What `GENERIC_EXECUTE` means for files (`FILE_GENERIC_EXECUTE`).
        const EXECUTING = 0x12_00A0;
        /// Every right there is on a file (`FILE_ALL_ACCESS`).
        const ALL = 0x1F_01FF;

        /// The rights for which share modes count (\[MS-FSA\] 2.1.5.1.2.2). An open with none of them, for attributes
        /// or to wait, conflicts with nobody.
        const SHARED = Self::READ_DATA.bits() | Self::EXECUTE.bits() | Self::WRITE_DATA.bits()
            | Self::APPEND_DATA.bits() | Self::DELETE.bits();
    }
}

impl Access {
    /// Bits that no request may have (\[MS-FSA\] 2.1.5.1, phase 1).
    pub(super) const RESERVED: u32 = 0x0CE0_FE00;

    /// The rights that a request asks for: each generic one replaced by what it means for files.
    #[must_use]
    pub fn mapped(self) -> Self {
        const MAP: [(Access, Access); 4] = [
            (Access::GENERIC_READ, Access::READING),
            (Access::GENERIC_WRITE, Access::WRITING),
            (Access::GENERIC_EXECUTE, Access::EXECUTING),
            (Access::GENERIC_ALL, Access::ALL),
        ];
        MAP.iter().fold(self, |access, (generic, meaning)| {
            if access.contains(*generic) {
                (access - *generic) | *meaning
            } else {
                access
            }
        })
    }
}

bitflags! {
    /// What an open lets others do meanwhile (\[MS-SMB2\] 2.2.13).
    #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
    pub struct Share: u32 {
        /// Others may read.
        const READ = 0x1;
        /// Others may write.
        const WRITE = 0x2;
        /// Others may delete and rename.
        const DELETE = 0x4;
    }
}

bitflags! {
    /// The options of `NtCreateFile` that decide something here (\[MS-SMB2\] 2.2.13, `CreateOptions`).
    ///
    /// Other bits may be set; they decide nothing.
    #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
    pub struct OpenOptions: u32 {
        /// It must be a directory.
        const DIRECTORY_FILE = 0x1;
        /// Writes go to the disk at once.
        const WRITE_THROUGH = 0x2;
        /// The file is read in order.
        const SEQUENTIAL_ONLY = 0x4;
        /// Data bypasses the cache.
        const NO_INTERMEDIATE_BUFFERING = 0x8;
        /// Calls wait, and can be alerted.
        const SYNCHRONOUS_IO_ALERT = 0x10;
        /// Calls wait.
        const SYNCHRONOUS_IO_NONALERT = 0x20;
        /// It must not be a directory.
        const NON_DIRECTORY_FILE = 0x40;
        /// The name goes when the handle closes.
        const DELETE_ON_CLOSE = 0x1000;
        /// The name is a file id.
        const OPEN_BY_FILE_ID = 0x2000;
        /// For a backup: privileges stand in for rights. Win32 opens directories with it.
        const OPEN_FOR_BACKUP_INTENT = 0x4000;
        /// The reparse point itself, not what it leads to.
        const OPEN_REPARSE_POINT = 0x20_0000;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generic_rights_become_those_of_files() {
        assert_eq!(Access::GENERIC_READ.mapped(), Access::READING);
        assert_eq!(
            (Access::GENERIC_WRITE | Access::DELETE).mapped(),
            Access::WRITING | Access::DELETE
        );
        assert_eq!(Access::GENERIC_EXECUTE.mapped(), Access::EXECUTING);
        assert_eq!(Access::GENERIC_ALL.mapped(), Access::ALL);
        assert_eq!(Access::MAXIMUM_ALLOWED.mapped(), Access::MAXIMUM_ALLOWED);
    }

    #[test]
    fn the_generic_masks_are_those_of_winnt_h() {
        let reading = Access::READ_DATA | Access::READ_ATTRIBUTES | Access::READ_EA;
        let writing = Access::WRITE_DATA | Access::APPEND_DATA | Access::WRITE_ATTRIBUTES | Access::WRITE_EA;
        let running = Access::EXECUTE | Access::READ_ATTRIBUTES;
        let common = Access::READ_CONTROL | Access::SYNCHRONIZE;
        assert_eq!(Access::READING, reading | common);
        assert_eq!(Access::WRITING, writing | common);
        assert_eq!(Access::EXECUTING, running | common);
    }
}
