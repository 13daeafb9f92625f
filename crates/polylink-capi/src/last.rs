//! The last error of each thread.

use std::cell::RefCell;

use polylink_nt::NtStatus;

use crate::failure::Failure;

thread_local! {
    static LAST: RefCell<Option<Failure>> = const { RefCell::new(None) };
}

/// Remembers a failure for this thread. One that is just ending has nobody left to ask.
pub(crate) fn set(failure: Failure) {
    // OK to ignore: the thread is ending
    drop(LAST.try_with(|last| last.replace(Some(failure))));
}

/// What `read` makes of this thread's last failure; `None` where there was none yet.
pub(crate) fn with<T>(read: impl FnOnce(&Failure) -> T) -> Option<T> {
    LAST.try_with(|last| last.borrow().as_ref().map(read))
        .ok()
        .flatten()
}

/// The status, 0 where there is none.
pub(crate) fn status_code(failure: &Failure) -> u32 {
    failure.status.map_or(0, NtStatus::code)
}
