//! The calls of Win32 that end in one of the requests: CreateHardLink, MoveFileEx, DeleteFile.
//!
//! Each function judges the arguments of a call and says what to do: which file to open and how, which information to
//! set. The statuses of those steps come from [`crate::decide`] or from a real system. A refusal is an
//! [`NtStatus`], too, as it is inside Windows; [`returned`] makes the last error of it.
//!
//! | | CreateHardLink | MoveFileEx with `CREATE_HARDLINK` |
//! |---|---|---|
//! | opens the file with | `FILE_WRITE_ATTRIBUTES`: nobody's share mode is in the way | `DELETE`: who does not share deleting is in the way |
//! | replaces | never | with `REPLACE_EXISTING` |
//! | sets | `FileLinkInformation` | `FileLinkInformation` |
//!
//! # Choices
//!
//! Where Windows' behaviour is not documented or tested in public: NULL names are `INVALID_PARAMETER` to CreateHardLink
//! and `OBJECT_PATH_NOT_FOUND` to the others; security attributes, which must be NULL, are `INVALID_PARAMETER`; all
//! arguments are judged before anything is opened; the file is opened as the reparse point that it may be, and shares
//! everything; a link to another volume fails with `NOT_SAME_DEVICE` whatever the flags, and nothing is ever copied and
//! deleted for it.
//!
//! ```
//! use polylink_nt::NtStatus;
//! use polylink_nt::door::{HardLinkArgs, Returned, create_hard_link, returned};
//!
//! let existing: Vec<u16> = r"C:\photos\a.jpg".encode_utf16().collect();
//! let refused = create_hard_link(&HardLinkArgs::new(None, Some(&existing)));
//! assert_eq!(refused, Err(NtStatus::INVALID_PARAMETER));
//! assert_eq!(returned(NtStatus::INVALID_PARAMETER), Returned::False { last_error: 87 });
//! ```

use crate::NtStatus;

mod delete_file;
mod hard_link;
mod move_file;
mod path;

pub use delete_file::{DeletePlan, delete_file};
pub use hard_link::{HardLinkArgs, HardLinkPlan, SecurityAttributes, create_hard_link};
pub use move_file::{AfterMove, AtReboot, MoveArgs, MoveFlags, MoveNow, MovePlan, OtherVolume, move_file_ex};
pub use path::{LongPaths, MAX_PATH, PathKind, is_device, path_kind};

/// What a function of Win32 returns.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Returned {
    /// TRUE. The thread's last error stays what it was; it means nothing.
    True,
    /// FALSE, and the thread's last error is set.
    False {
        /// What `GetLastError` returns.
        last_error: u32,
    },
}

/// What a call returns that ended in a status.
#[must_use]
pub fn returned(status: NtStatus) -> Returned {
    if status.is_success() {
        Returned::True
    } else {
        Returned::False {
            last_error: status.win32(),
        }
    }
}
