//! The wall between Rust and C: no panic gets through, every failure becomes the thread's last error.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::failure::Failure;
use crate::{last, status};

/// For functions of the Unix kind: 0, or -1 with the last error set.
pub(super) fn zero(work: impl FnOnce() -> Result<(), Failure>) -> i32 {
    match run(work) {
        Ok(()) => 0,
        Err(failure) => {
            remember(failure);
            -1
        }
    }
}

/// For functions of the Win32 kind: 1 (`TRUE`), or 0 with the last error set.
pub(super) fn truth(work: impl FnOnce() -> Result<(), Failure>) -> i32 {
    zero(work) + 1
}

/// For functions of the native kind: `STATUS_SUCCESS`, or the status of the failure, which is the last error as well.
pub(super) fn nt(work: impl FnOnce() -> Result<(), Failure>) -> i32 {
    match run(work) {
        Ok(()) => 0,
        Err(failure) => {
            let status = failure.status.unwrap_or(status::UNSUCCESSFUL);
            remember(failure);
            status.code().cast_signed()
        }
    }
}

/// For functions that cannot fail: what `work` gives, or `otherwise` if it panics.
pub(super) fn value<T>(otherwise: T, work: impl FnOnce() -> T) -> T {
    run(|| Ok(work())).unwrap_or(otherwise)
}

fn run<T>(work: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    // Unwind safe: what a panic leaves behind is a lock, which is taken over, or lost together with this call.
    catch_unwind(AssertUnwindSafe(|| {
        #[cfg(test)]
        tests::strike();
        work()
    }))
    .unwrap_or_else(|payload| {
        // its destructor is anybody's code and could panic again, outside of the wall
        std::mem::forget(payload);
        Err(Failure::of(status::UNSUCCESSFUL, "polylink failed"))
    })
}

fn remember(failure: Failure) {
    let win32 = failure.win32;
    last::set(failure);
    // last of all, for nothing else may change it on the way out
    super::system::set_last_error(win32);
}

#[cfg(test)]
pub(super) mod tests {
    use std::cell::Cell;

    thread_local! {
        static STRIKE: Cell<bool> = const { Cell::new(false) };
    }

    /// Panics if [`arm`] was called on this thread.
    pub(super) fn strike() {
        if STRIKE.take() {
            // by resume_unwind, so that no hook prints anything
            std::panic::resume_unwind(Box::new("struck"));
        }
    }

    /// Lets the next call of any C function on this thread panic.
    pub(crate) fn arm() {
        STRIKE.set(true);
    }
}
