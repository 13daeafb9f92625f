//! In which order the judges come, and which of them at the same time.
//!
//! Most change something that is everybody's, take no time, or say how fast something happens: these come first, each
//! alone. The long ones come then, several at once.

use std::cell::RefCell;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::{Judge, Stop, Verdict};

/// Beside which others a judge may run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Company {
    /// None.
    Alone,
    /// Any that may themselves.
    Others,
    /// The same, but for those with which it shares a folder to build in and one Windows to run in.
    OthersThanWindows,
}

thread_local! {
    /// What the judge of this thread has said so far, where it is to be printed at its end.
    static SAID: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Prints a line of a judge: at once, or at its end where others run beside it.
pub(crate) fn tell(line: &str) {
    let at_once = SAID.with_borrow_mut(|said| match said {
        Some(said) => {
            said.push_str(line);
            said.push('\n');
            false
        }
        None => true,
    });
    if at_once {
        println!("{line}");
    }
}

/// As `println!`, for judges.
macro_rules! say {
    ($($text:tt)*) => {
        $crate::judges::order::tell(&format!($($text)*))
    };
}
pub(crate) use say;

/// How many judges came to which end.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(super) struct Ends {
    pub(super) passed: usize,
    pub(super) failed: usize,
    pub(super) skipped: usize,
}

impl Ends {
    fn count(&mut self, judge: &Judge, verdict: &Verdict, took: Duration) {
        let seconds = took.as_secs_f64();
        match verdict {
            Ok(()) => {
                self.passed += 1;
                println!("{:26}ok ({seconds:.1} s)", judge.name);
            }
            Err(Stop::Skipped(reason)) => {
                self.skipped += 1;
                println!("{:26}skipped: {reason}", judge.name);
            }
            Err(Stop::Failed(reason)) => {
                self.failed += 1;
                println!(
                    "{:26}FAILED ({seconds:.1} s): {}\n{reason}\n",
                    judge.name, judge.about
                );
            }
        }
    }
}

/// The judges that have not begun.
struct Waiting<'a> {
    judges: Vec<&'a Judge>,
    windows_is_busy: bool,
}

impl<'a> Waiting<'a> {
    /// The next that may begin now.
    fn take(&mut self) -> Option<&'a Judge> {
        let may = |judge: &&Judge| !(self.windows_is_busy && judge.company == Company::OthersThanWindows);
        let at = self.judges.iter().position(may)?;
        let judge = self.judges.remove(at);
        self.windows_is_busy |= judge.company == Company::OthersThanWindows;
        Some(judge)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs the judges, `at_once` of those that may be beside others.
pub(super) fn run(judges: &[&Judge], at_once: usize, run: impl Fn(&Judge) -> Verdict + Sync) -> Ends {
    let (alone, together): (Vec<&Judge>, Vec<&Judge>) = judges
        .iter()
        .partition(|judge| at_once < 2 || judge.company == Company::Alone);
    let mut ends = Ends::default();
    for judge in alone {
        let start = Instant::now();
        let verdict = run(judge);
        ends.count(judge, &verdict, start.elapsed());
    }
    let (windows, others): (Vec<&Judge>, Vec<&Judge>) = together
        .into_iter()
        .partition(|judge| judge.company == Company::OthersThanWindows);
    let waiting = Waiting {
        // they come one after the other, so that they are the last to end if they begin late
        judges: [windows, others].concat(),
        windows_is_busy: false,
    };
    let (waiting, changed, ends) = (Mutex::new(waiting), Condvar::new(), Mutex::new(ends));
    std::thread::scope(|scope| {
        for _ in 0..at_once {
            scope.spawn(|| {
                while let Some(judge) = next(&waiting, &changed) {
                    SAID.set(Some(String::new()));
                    let start = Instant::now();
                    let verdict = run(judge);
                    let took = start.elapsed();
                    let said = SAID.take().unwrap_or_default();
                    {
                        let mut ends = lock(&ends);
                        print!("{said}");
                        ends.count(judge, &verdict, took);
                    }
                    if judge.company == Company::OthersThanWindows {
                        lock(&waiting).windows_is_busy = false;
                        changed.notify_all();
                    }
                }
            });
        }
    });
    ends.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// Waits for a judge that may begin; none where all have begun.
fn next<'a>(waiting: &Mutex<Waiting<'a>>, changed: &Condvar) -> Option<&'a Judge> {
    let mut waiting = lock(waiting);
    loop {
        if let Some(judge) = waiting.take() {
            return Some(judge);
        }
        if waiting.judges.is_empty() {
            return None;
        }
        waiting = changed.wait(waiting).unwrap_or_else(PoisonError::into_inner);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::super::{Judge, judge};
    use super::*;

    const fn nothing(_: &super::super::lab::Lab) -> Verdict {
        Ok(())
    }

    fn three_kinds() -> Vec<Judge> {
        let kinds = [Company::Alone, Company::Others, Company::OthersThanWindows];
        let names = ["a", "b", "c", "d", "e", "f", "g", "h", "i"];
        let judges = names.iter().zip(kinds.iter().cycle());
        judges
            .map(|(name, company)| Judge {
                company: *company,
                ..judge(name, "", nothing)
            })
            .collect()
    }

    #[test]
    fn each_runs_once_and_none_beside_one_that_it_must_not_meet() {
        let judges = three_kinds();
        let judges: Vec<&Judge> = judges.iter().collect();
        let (all, windows, most) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
        let ran = Mutex::new(Vec::new());
        let ends = run(&judges, 3, |judge| {
            let beside = all.fetch_add(1, Ordering::SeqCst);
            most.fetch_max(beside + 1, Ordering::SeqCst);
            assert!(judge.company != Company::Alone || beside == 0, "{}", judge.name);
            let is_windows = judge.company == Company::OthersThanWindows;
            if is_windows {
                assert_eq!(windows.fetch_add(1, Ordering::SeqCst), 0, "{}", judge.name);
            }
            std::thread::sleep(Duration::from_millis(20));
            if is_windows {
                windows.fetch_sub(1, Ordering::SeqCst);
            }
            all.fetch_sub(1, Ordering::SeqCst);
            lock(&ran).push(judge.name);
            match judge.name {
                "b" => Err(Stop::Failed("wrong".to_owned())),
                "c" => Err(Stop::Skipped("nothing to run it with".to_owned())),
                _ => Ok(()),
            }
        });
        let mut ran = lock(&ran).clone();
        assert_eq!(ran[..3], ["a", "d", "g"]);
        ran.sort_unstable();
        assert_eq!(ran, ["a", "b", "c", "d", "e", "f", "g", "h", "i"]);
        assert!((2..=3).contains(&most.load(Ordering::SeqCst)), "{most:?}");
        let wanted = Ends {
            passed: 7,
            failed: 1,
            skipped: 1,
        };
        assert_eq!(ends, wanted);
    }

    #[test]
    fn what_a_judge_says_beside_others_is_kept_for_its_end() {
        SAID.set(Some(String::new()));
        say!("{} and {}", 1, 2);
        say!("three");
        assert_eq!(SAID.take().as_deref(), Some("1 and 2\nthree\n"));
    }
}
