//! NTSTATUS, and what follows from it.
//!
//! The maps go one way only. Win32's code 5 hides five statuses, 87 and 161 two each; so whoever meets an NTSTATUS
//! carries it, and derives the others at the end.

use core::fmt;

#[cfg(feature = "std")]
mod io;
mod win32;

pub use win32::win32_name;

/// What NT answers: a success, information, a warning or an error.
///
/// Any code fits; those that hard links can meet are constants and have a name, a text, and the error numbers of Win32
/// and Unix (codes: \[MS-ERREF\] 2.3; Win32: `RtlNtStatusToDosError` as Windows answers it; Unix: the map of Linux'
/// SMB client).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NtStatus(u32);

/// The error numbers of Unix that stand for a status.
///
/// The symbol is the same everywhere, the number differs from system to system.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Errno {
    /// Its symbol, such as `EEXIST`.
    pub symbol: &'static str,
    /// Its number on Linux.
    pub linux: i32,
}

/// The classes of `std::io::ErrorKind` that statuses fall into.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The name is taken.
    AlreadyExists,
    /// The file has as many names as it can have.
    TooManyLinks,
    /// Refused by rights, attributes or state.
    PermissionDenied,
    /// The two places are on different volumes.
    CrossesDevices,
    /// The name cannot exist.
    InvalidFilename,
    /// There is no such name.
    NotFound,
    /// A directory was needed.
    NotADirectory,
    /// The directory has entries.
    DirectoryNotEmpty,
    /// An argument cannot be right.
    InvalidInput,
    /// The volume cannot be written.
    ReadOnlyFilesystem,
    /// The volume is full.
    StorageFull,
    /// Memory ran out.
    OutOfMemory,
    /// None of the others: the standard library has no class for it.
    Uncategorized,
}

/// What is known of one status.
#[derive(Debug)]
struct Row {
    status: NtStatus,
    name: &'static str,
    text: &'static str,
    win32: u32,
    errno: Option<Errno>,
    kind: ErrorKind,
}

macro_rules! errno {
    (-) => {
        None
    };
    ($symbol:ident $linux:literal) => {
        Some(Errno {
            symbol: stringify!($symbol),
            linux: $linux,
        })
    };
}

macro_rules! statuses {
    ($($code:literal $name:ident $win32:literal [$($errno:tt)+] $kind:ident $text:literal;)+) => {
        impl NtStatus {
            $(
                #[doc = concat!("`STATUS_", stringify!($name), "`: ", $text, ".")]
                pub const $name: Self = Self($code);
            )+

            /// Every status that has a name here.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];
        }

        /// In the order of the specification.
        static ROWS: &[Row] = &[$(Row {
            status: NtStatus::$name,
            name: concat!("STATUS_", stringify!($name)),
            text: $text,
            win32: $win32,
            errno: errno!($($errno)+),
            kind: ErrorKind::$kind,
        }),+];
    };
}

statuses! {
    0xC000_0035 OBJECT_NAME_COLLISION 183 [EEXIST 17] AlreadyExists "the name is taken";
    0xC000_0265 TOO_MANY_LINKS 1142 [EMLINK 31] TooManyLinks "the file has as many names as it can have";
    0xC000_00BA FILE_IS_A_DIRECTORY 5 [EISDIR 21] PermissionDenied "the file is a directory";
    0xC000_00D4 NOT_SAME_DEVICE 17 [EXDEV 18] CrossesDevices "the two names are on different volumes";
    0xC000_0022 ACCESS_DENIED 5 [EACCES 13] PermissionDenied "access is denied";
    0xC000_0121 CANNOT_DELETE 5 [EACCES 13] PermissionDenied "the file cannot be deleted";
    0xC000_0056 DELETE_PENDING 5 [ENOENT 2] PermissionDenied "the name is about to be deleted";
    0xC000_0123 FILE_DELETED 5 [EIO 5] PermissionDenied "the file has been deleted";
    0xC000_0043 SHARING_VIOLATION 32 [EBUSY 16] Uncategorized "somebody holds the file open and does not share it";
    0xC000_0033 OBJECT_NAME_INVALID 123 [ENOENT 2] InvalidFilename "the name cannot exist";
    0xC000_0034 OBJECT_NAME_NOT_FOUND 2 [ENOENT 2] NotFound "there is no such name";
    0xC000_000F NO_SUCH_FILE 2 [ENOENT 2] NotFound "there is no such file";
    0xC000_003A OBJECT_PATH_NOT_FOUND 3 [ENOENT 2] NotFound "a directory on the way to the name does not exist";
    0xC000_0039 OBJECT_PATH_INVALID 161 [ENOTDIR 20] InvalidFilename "the path is not valid";
    0xC000_003B OBJECT_PATH_SYNTAX_BAD 161 [EIO 5] InvalidFilename "the path is not written as paths are";
    0xC000_0103 NOT_A_DIRECTORY 267 [ENOTDIR 20] NotADirectory "the file is not a directory";
    0xC000_0101 DIRECTORY_NOT_EMPTY 145 [ENOTEMPTY 39] DirectoryNotEmpty "the directory has entries";
    0xC000_0106 NAME_TOO_LONG 206 [ENAMETOOLONG 36] InvalidFilename "the name is too long";
    0xC000_000D INVALID_PARAMETER 87 [EINVAL 22] InvalidInput "an argument is not valid";
    0xC000_00EF INVALID_PARAMETER_1 87 [EINVAL 22] InvalidInput "the first argument is not valid";
    0xC000_00F0 INVALID_PARAMETER_2 87 [EINVAL 22] InvalidInput "the second argument is not valid";
    0xC000_00F1 INVALID_PARAMETER_3 87 [EINVAL 22] InvalidInput "the third argument is not valid";
    0xC000_00F2 INVALID_PARAMETER_4 87 [EINVAL 22] InvalidInput "the fourth argument is not valid";
    0xC000_00F3 INVALID_PARAMETER_5 87 [EINVAL 22] InvalidInput "the fifth argument is not valid";
    0xC000_00F4 INVALID_PARAMETER_6 87 [EINVAL 22] InvalidInput "the sixth argument is not valid";
    0xC000_00F5 INVALID_PARAMETER_7 87 [EINVAL 22] InvalidInput "the seventh argument is not valid";
    0xC000_00F6 INVALID_PARAMETER_8 87 [EINVAL 22] InvalidInput "the eighth argument is not valid";
    0xC000_00F7 INVALID_PARAMETER_9 87 [EINVAL 22] InvalidInput "the ninth argument is not valid";
    0xC000_00F8 INVALID_PARAMETER_10 87 [EINVAL 22] InvalidInput "the tenth argument is not valid";
    0xC000_00F9 INVALID_PARAMETER_11 87 [EINVAL 22] InvalidInput "the eleventh argument is not valid";
    0xC000_00FA INVALID_PARAMETER_12 87 [EINVAL 22] InvalidInput "the twelfth argument is not valid";
    0xC000_0003 INVALID_INFO_CLASS 87 [EIO 5] InvalidInput "there is no such information, or not in this direction";
    0xC000_0004 INFO_LENGTH_MISMATCH 24 [EIO 5] Uncategorized "the buffer has the wrong length for its structure";
    0xC000_00BB NOT_SUPPORTED 50 [EOPNOTSUPP 95] Uncategorized "the file system or the system does not support this";
    0xC000_0002 NOT_IMPLEMENTED 1 [EOPNOTSUPP 95] Uncategorized "this is not implemented";
    0xC000_0010 INVALID_DEVICE_REQUEST 1 [EOPNOTSUPP 95] Uncategorized "the device knows no such request";
    0xC000_00A2 MEDIA_WRITE_PROTECTED 19 [EROFS 30] ReadOnlyFilesystem "the volume is write-protected";
    0xC000_007F DISK_FULL 112 [ENOSPC 28] StorageFull "the volume is full";
    0xC000_0008 INVALID_HANDLE 6 [EBADF 9] Uncategorized "the handle is not valid";
    0xC000_0128 FILE_CLOSED 6 [EBADF 9] Uncategorized "the file has been closed";
    0xC000_0024 OBJECT_TYPE_MISMATCH 6 [EIO 5] Uncategorized "the handle is of another kind of object";
    0x8000_0005 BUFFER_OVERFLOW 234 [E2BIG 7] Uncategorized "there is more than the buffer holds";
    0xC000_0023 BUFFER_TOO_SMALL 122 [-] Uncategorized "the buffer is too small";
    0x8000_0006 NO_MORE_FILES 18 [ENODATA 61] Uncategorized "there are no more entries";
    0xC000_0011 END_OF_FILE 38 [ENODATA 61] Uncategorized "the end is reached";
    0xC000_0061 PRIVILEGE_NOT_HELD 1314 [EPERM 1] Uncategorized "a privilege is missing";
    0xC000_009A INSUFFICIENT_RESOURCES 1450 [EAGAIN 11] Uncategorized "the system ran out of resources";
    0xC000_0017 NO_MEMORY 8 [ENOMEM 12] OutOfMemory "memory ran out";
    0xC000_0102 FILE_CORRUPT_ERROR 1392 [EIO 5] Uncategorized "the file or directory is damaged";
    0xC000_0032 DISK_CORRUPT_ERROR 1393 [EIO 5] Uncategorized "the volume is damaged";
    0xC000_0275 NOT_A_REPARSE_POINT 4390 [ENODATA 61] Uncategorized "the file is no reparse point";
    0xC000_0279 IO_REPARSE_TAG_NOT_HANDLED 1920 [-] Uncategorized "nobody handles the reparse point";
    0xC000_0243 USER_MAPPED_FILE 1224 [-] Uncategorized "the file is mapped into memory";
}

/// `ERROR_MR_MID_NOT_FOUND`: what `RtlNtStatusToDosError` answers for a status that it does not know.
const UNKNOWN_TO_WIN32: u32 = 317;

impl NtStatus {
    /// `STATUS_SUCCESS`: done.
    pub const SUCCESS: Self = Self(0);

    /// The status with this code.
    #[must_use]
    pub const fn new(code: u32) -> Self {
        Self(code)
    }

    /// Its code.
    #[must_use]
    pub const fn code(self) -> u32 {
        self.0
    }

    /// Whether the request was done: success and information (`NT_SUCCESS`); warnings are not.
    #[must_use]
    pub const fn is_success(self) -> bool {
        self.0 < 0x8000_0000
    }

    fn row(self) -> Option<&'static Row> {
        ROWS.iter().find(|row| row.status == self)
    }

    /// Its name, such as `STATUS_OBJECT_NAME_COLLISION`; `None` for one that polylink does not know.
    #[must_use]
    pub fn name(self) -> Option<&'static str> {
        if self == Self::SUCCESS {
            return Some("STATUS_SUCCESS");
        }
        self.row().map(|row| row.name)
    }

    /// What it means, in a sentence without a full stop.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self.row() {
            Some(row) => row.text,
            None if self.is_success() => "done",
            None => "the system refused",
        }
    }

    /// The Win32 error code, as `RtlNtStatusToDosError` gives it: 0 for success, 317 for a status without one.
    ///
    /// Statuses with the customer bit (`0x2000_0000`) come back as they are, and those made from Win32 codes
    /// (`0x8007_xxxx`, `0xC007_xxxx`, and `0xC001_xxxx` from RPC) as the code that they carry. Those in the clothes of an
    /// HRESULT (`0xDxxx_xxxx`, by `HRESULT_FROM_NT`) count as what they are without.
    ///
    /// A status that is not a constant here may be one that Windows knows a code for; it gives 317 too.
    #[must_use]
    pub fn win32(self) -> u32 {
        const CUSTOMER: u32 = 0x2000_0000;
        const NT_BIT: u32 = 0x1000_0000;
        if self.0 & CUSTOMER != 0 {
            return self.0;
        }
        let plain = match self.0 >> 28 {
            0xD => Self(self.0 & !NT_BIT),
            _ => self,
        };
        match (plain.row(), plain.0 >> 16) {
            (Some(row), _) => row.win32,
            (None, _) if plain == Self::SUCCESS => 0,
            (None, 0xC001 | 0x8007 | 0xC007) => plain.0 & 0xFFFF,
            _ => UNKNOWN_TO_WIN32,
        }
    }

    /// The symbol of [`Self::win32`], such as `ERROR_ALREADY_EXISTS`.
    #[must_use]
    pub fn win32_name(self) -> Option<&'static str> {
        win32_name(self.win32())
    }

    /// The error of Unix that stands for it, where there is one; see also [`Self::errno_of_link`].
    #[must_use]
    pub fn errno(self) -> Option<Errno> {
        self.row().and_then(|row| row.errno)
    }

    /// The error of link(2) and linkat(2) that stands for it, where there is one.
    ///
    /// It is [`Self::errno`] but for `FILE_IS_A_DIRECTORY`: that is `EISDIR` to other calls, while link(2) has `EPERM`
    /// for a directory.
    #[must_use]
    pub fn errno_of_link(self) -> Option<Errno> {
        match self {
            Self::FILE_IS_A_DIRECTORY => errno!(EPERM 1),
            _ => self.errno(),
        }
    }

    /// Its class among the errors of Rust's standard library: the one that it has for the Win32 code.
    #[must_use]
    pub fn kind(self) -> ErrorKind {
        self.row().map_or(ErrorKind::Uncategorized, |row| row.kind)
    }
}

impl fmt::Display for NtStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(f, "{} ({name} 0x{:08X})", self.text(), self.0),
            None => write!(f, "{} (NTSTATUS 0x{:08X})", self.text(), self.0),
        }
    }
}

impl fmt::Debug for NtStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "NTSTATUS(0x{:08X})", self.0),
        }
    }
}

impl core::error::Error for NtStatus {}
