//! Handles that C holds: numbers that look like pointers and are never followed.
//!
//! So a handle that was closed, or never was one, is an error and no access to memory that somebody else has by now.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Handles are multiples of this, as addresses would be.
const STEP: usize = 16;

/// The next handle, of whatever kind: no two are equal while the process lives.
static NEXT: AtomicUsize = AtomicUsize::new(STEP);

/// What stands behind the handles of one kind.
#[derive(Debug)]
pub(crate) struct Registry<T> {
    live: Mutex<BTreeMap<usize, Arc<T>>>,
}

impl<T> Registry<T> {
    pub(crate) const fn new() -> Self {
        Self {
            live: Mutex::new(BTreeMap::new()),
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<usize, Arc<T>>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A handle for `value`; `None` once there are no more numbers.
    pub(crate) fn open(&self, value: T) -> Option<usize> {
        let handle = NEXT
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |next| {
                next.checked_add(STEP)
            })
            .ok()?;
        self.lock().insert(handle, Arc::new(value));
        Some(handle)
    }

    /// What `handle` stands for.
    pub(crate) fn find(&self, handle: usize) -> Option<Arc<T>> {
        self.lock().get(&handle).cloned()
    }

    /// Ends `handle`. Who is at work with it keeps what it stands for until that is done.
    pub(crate) fn close(&self, handle: usize) -> Option<Arc<T>> {
        self.lock().remove(&handle)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closed_handle_stands_for_nothing_and_its_number_does_not_come_back() {
        let registry = Registry::new();
        let one = registry.open("one").unwrap();
        assert_eq!(*registry.find(one).unwrap(), "one");
        assert_eq!(*registry.close(one).unwrap(), "one");
        assert!(registry.find(one).is_none() && registry.close(one).is_none());
        let two = registry.open("two").unwrap();
        assert_ne!(one, two);
        assert_eq!(two % STEP, 0);
        assert!(registry.find(0).is_none() && registry.find(two + 1).is_none());
    }

    #[test]
    fn handles_of_two_kinds_never_meet() {
        let (files, names) = (Registry::new(), Registry::new());
        let file = files.open(1).unwrap();
        let name = names.open(2).unwrap();
        assert!(files.find(name).is_none() && names.find(file).is_none());
    }
}
