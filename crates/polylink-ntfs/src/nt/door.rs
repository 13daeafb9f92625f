//! The calls of Win32 that change names.

use polylink_nt::NtStatus;
use polylink_nt::decide::{OpenRequest, Origin};
use polylink_nt::door::{
    AfterMove, HardLinkArgs, LongPaths, MoveArgs, MovePlan, Returned, create_hard_link, delete_file,
    move_file_ex, returned,
};
use polylink_nt::info::{InfoClass, LinkFlags, LinkInformation};

use super::{Disposition, Handle, NtVolume};

/// What a move came to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Moved {
    /// It is done.
    Done,
    /// The new name is on another volume, and the flags allow a copy: the caller copies the file there, then deletes it
    /// here.
    CopyThenDelete,
    /// It is to be done when the system starts next time: the caller notes it.
    AtReboot,
}

/// The last error of a call that ended so.
fn last_error<T>(outcome: Result<T, NtStatus>) -> Result<T, u32> {
    outcome.map_err(|status| match returned(status) {
        // a status that is no error is none to Win32 either; nothing here fails with one
        Returned::True => 0,
        Returned::False { last_error } => last_error,
    })
}

impl NtVolume {
    /// `CreateHardLinkW`: the new name comes first.
    ///
    /// Paths are as Win32 has them. There is no current directory: what is relative begins at the volume's root.
    ///
    /// # Errors
    ///
    /// What `GetLastError` returns.
    pub fn create_hard_link(&self, args: &HardLinkArgs<'_>) -> Result<(), u32> {
        last_error(self.hard_link(args))
    }

    fn hard_link(&self, args: &HardLinkArgs<'_>) -> Result<(), NtStatus> {
        let plan = create_hard_link(args)?;
        self.with_file(plan.existing, plan.open, |handle| {
            self.set_by_path(handle, plan.class, plan.new, plan.flags)
        })
    }

    /// `MoveFileExW`, with `MOVEFILE_CREATE_HARDLINK` too.
    ///
    /// # Errors
    ///
    /// What `GetLastError` returns.
    pub fn move_file_ex(&self, args: &MoveArgs<'_>) -> Result<Moved, u32> {
        last_error(self.move_file(args))
    }

    fn move_file(&self, args: &MoveArgs<'_>) -> Result<Moved, NtStatus> {
        match move_file_ex(args)? {
            MovePlan::Now(plan) => self.with_file(plan.existing, plan.open, |handle| {
                let set = self.set_by_path(handle, plan.class, plan.new, plan.flags);
                match plan.after(set.err().unwrap_or(NtStatus::SUCCESS)) {
                    AfterMove::Return(NtStatus::SUCCESS) => Ok(Moved::Done),
                    AfterMove::Return(status) => Err(status),
                    AfterMove::CopyThenDelete => Ok(Moved::CopyThenDelete),
                }
            }),
            MovePlan::AtReboot(plan) => match self.with_file(plan.existing, plan.open, |_| Ok(())) {
                Err(status) if !plan.tolerates(status) => Err(status),
                _ => Ok(Moved::AtReboot),
            },
        }
    }

    /// `DeleteFileW`.
    ///
    /// # Errors
    ///
    /// What `GetLastError` returns.
    pub fn delete_file(&self, path: Option<&[u16]>, long_paths: LongPaths) -> Result<(), u32> {
        last_error(self.delete(path, long_paths))
    }

    fn delete(&self, path: Option<&[u16]>, long_paths: LongPaths) -> Result<(), NtStatus> {
        let plan = delete_file(path, long_paths)?;
        self.with_file(plan.path, plan.open, |handle| {
            match self.set_disposition(handle, &plan.first) {
                Err(status) if plan.falls_back(status) => {
                    self.set_disposition(handle, &plan.fallback).map(|_| ())
                }
                other => other.map(|_| ()),
            }
        })
    }

    /// Opens a file by a path of Win32, does something, and closes it.
    fn with_file<T>(
        &self,
        path: &[u16],
        request: OpenRequest,
        action: impl FnOnce(Handle) -> Result<T, NtStatus>,
    ) -> Result<T, NtStatus> {
        let handle = self.open_with(None, &self.nt_path(path), request, Disposition::Open, false)?;
        let outcome = action(handle);
        let closed = self.close(handle);
        let value = outcome?;
        closed?;
        Ok(value)
    }

    fn set_by_path(
        &self,
        handle: Handle,
        class: InfoClass,
        new: &[u16],
        flags: LinkFlags,
    ) -> Result<(), NtStatus> {
        let information = LinkInformation {
            flags,
            root: None,
            name: self.nt_path(new),
        };
        self.set_name(handle, class, &information, Origin::Local)
            .map(|_| ())
    }
}
