//! The calls of Win32, as their plans have them.

use polylink_nt::NtStatus;
use polylink_nt::decide::Origin;
use polylink_nt::door::{
    AfterMove, HardLinkArgs, LongPaths, MoveArgs, MoveFlags, MovePlan, Returned, create_hard_link,
    delete_file, move_file_ex, returned,
};
use polylink_nt::info::{InfoClass, LinkFlags};

use super::calls::{Flags, Request, Target};
use super::{Handle, Outcome, World, units};

/// What a move did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Moved {
    /// It is done.
    Done,
    /// It would be copied to the other volume, then deleted.
    Copies,
    /// It is noted for the next start.
    AtReboot,
}

/// The last error of a call that ended in this status; none for success.
fn last_error(outcome: Outcome) -> Result<(), u32> {
    match returned(outcome.err().unwrap_or(NtStatus::SUCCESS)) {
        Returned::True => Ok(()),
        Returned::False { last_error } => Err(last_error),
    }
}

/// This world's form of a path of Win32: the first drive's root is the root.
fn nt_path(path: &[u16]) -> Vec<u16> {
    let path = path.strip_prefix(units(r"\\?\").as_slice()).unwrap_or(path);
    match path.strip_prefix(units("C:").as_slice()) {
        Some(path) => path.to_vec(),
        None if path.starts_with(&units("D:")) => [&units(r"\"), path].concat(),
        None => path.to_vec(),
    }
}

impl World {
    /// CreateHardLink: the new name comes first.
    pub(crate) fn create_hard_link(&mut self, new: Option<&str>, existing: Option<&str>) -> Result<(), u32> {
        let new = new.map(units);
        let existing = existing.map(units);
        last_error(self.hard_link(&HardLinkArgs::new(new.as_deref(), existing.as_deref())))
    }

    fn hard_link(&mut self, args: &HardLinkArgs<'_>) -> Outcome {
        let plan = create_hard_link(args)?;
        let handle = self.open_with(&nt_path(plan.existing), None, &plan.open)?;
        let outcome = self.set(handle, plan.class, plan.new, plan.flags);
        self.close(handle);
        outcome
    }

    fn set(&mut self, handle: Handle, class: InfoClass, new: &[u16], flags: LinkFlags) -> Outcome {
        let request = match class {
            InfoClass::Link => Request::Link,
            InfoClass::Rename => Request::Rename,
            other => panic!("a plan sets names, not {other}"),
        };
        let flags = Flags {
            form: class.form().expect("a class that sets names has a form"),
            flags,
        };
        let path = nt_path(new);
        let target = Target {
            path: &path,
            root: None,
            origin: Origin::Local,
        };
        self.ask(request, handle, target, flags)
    }

    /// MoveFileEx.
    pub(crate) fn move_file(
        &mut self,
        existing: Option<&str>,
        new: Option<&str>,
        flags: MoveFlags,
    ) -> Result<Moved, u32> {
        let existing = existing.map(units);
        let new = new.map(units);
        let args = MoveArgs {
            existing: existing.as_deref(),
            new: new.as_deref(),
            flags,
            long_paths: LongPaths::default(),
        };
        let mut moved = Moved::Done;
        let outcome = self.move_by(&args, &mut moved);
        last_error(outcome).map(|()| moved)
    }

    fn move_by(&mut self, args: &MoveArgs<'_>, moved: &mut Moved) -> Outcome {
        match move_file_ex(args)? {
            MovePlan::Now(plan) => {
                let handle = self.open_with(&nt_path(plan.existing), None, &plan.open)?;
                let outcome = self.set(handle, plan.class, plan.new, plan.flags);
                self.close(handle);
                match plan.after(outcome.err().unwrap_or(NtStatus::SUCCESS)) {
                    AfterMove::Return(NtStatus::SUCCESS) => Ok(()),
                    AfterMove::Return(status) => Err(status),
                    AfterMove::CopyThenDelete => {
                        *moved = Moved::Copies;
                        Ok(())
                    }
                }
            }
            MovePlan::AtReboot(plan) => {
                *moved = Moved::AtReboot;
                match self.open_with(&nt_path(plan.existing), None, &plan.open) {
                    Ok(handle) => {
                        self.close(handle);
                        Ok(())
                    }
                    Err(status) if plan.tolerates(status) => Ok(()),
                    Err(status) => Err(status),
                }
            }
        }
    }

    /// DeleteFile.
    pub(crate) fn delete_file(&mut self, path: Option<&str>) -> Result<(), u32> {
        let path = path.map(units);
        last_error(self.delete_by(path.as_deref()))
    }

    fn delete_by(&mut self, path: Option<&[u16]>) -> Outcome {
        let plan = delete_file(path, LongPaths::default())?;
        let handle = self.open_with(&nt_path(plan.path), None, &plan.open)?;
        let mut outcome = self.set_disposition(handle, &plan.first);
        if outcome.is_err_and(|status| plan.falls_back(status)) {
            outcome = self.set_disposition(handle, &plan.fallback);
        }
        self.close(handle);
        outcome
    }
}
