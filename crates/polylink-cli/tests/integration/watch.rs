//! `polylink flat --watch`: a process of its own that is told to stop.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, ChildStdout, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::env::{TestEnv, file};

/// A watching process and what it tells of. It is ended when the test is.
struct Watch {
    child: Child,
    lines: std::io::Lines<BufReader<ChildStdout>>,
}

impl Drop for Watch {
    fn drop(&mut self) {
        // OK to ignore: it has ended already
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Watch {
    /// Starts it and waits until it follows.
    fn start(env: &TestEnv, options: &[&str]) -> Self {
        let args = ["--json", "flat", "--watch", "photos", "flat"];
        let mut command = env.command(args.iter().chain(options));
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut watch = Self { child, lines };
        watch.until("following");
        watch
    }

    fn next(&mut self) -> Value {
        let line = self.lines.next().expect("another line").unwrap();
        let value: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(
            (&value["schema"], &value["command"]),
            (&1.into(), &"flat".into()),
            "{line}"
        );
        value
    }

    /// The next event of this kind.
    fn until(&mut self, event: &str) -> Value {
        loop {
            let value = self.next();
            if value["event"] == event {
                return value;
            }
        }
    }

    fn stop(&mut self, signal: rustix::process::Signal) -> i32 {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, signal).unwrap();
        self.child.wait().unwrap().code().unwrap()
    }
}

/// Waits for what must come.
fn wait(what: impl Fn() -> bool) {
    let until = Instant::now() + Duration::from_secs(60);
    while !what() {
        assert!(Instant::now() < until, "it never came");
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn changes_are_followed_told_line_by_line_and_a_signal_is_a_good_end() {
    let env = TestEnv::photos();
    let mut watch = Watch::start(&env, &[]);
    env.write("photos/2008/01/new.jpg", "new");
    let linked = watch.until("linked");
    assert_eq!(linked["name"], "new.jpg");
    assert!(
        linked["path"]
            .as_str()
            .unwrap()
            .ends_with("photos/2008/01/new.jpg")
    );
    assert_eq!(
        file(&env.path("flat/new.jpg")),
        file(&env.path("photos/2008/01/new.jpg"))
    );

    env.save_by_rename("photos/2007/02/b.jpg", "saved");
    assert_eq!(watch.until("relinked")["name"], "b.jpg");
    assert_eq!(watch.until("orphan")["name"], "b (superseded).jpg");

    std::fs::rename(env.path("photos/2008"), env.path("photos/2009")).unwrap();
    env.write("photos/2009/01/in moved folder.jpg", "x");
    assert_eq!(watch.until("linked")["name"], "in moved folder.jpg");
    assert!(
        env.path("flat/new.jpg").exists(),
        "a moved file keeps its name in the view"
    );

    std::fs::rename(env.path("flat/new.jpg"), env.path("flat/mine.jpg")).unwrap();
    let renamed = watch.until("renamed");
    assert_eq!(
        (&renamed["from"], &renamed["name"]),
        (&"new.jpg".into(), &"mine.jpg".into())
    );

    env.link("photos/2009/01/new.jpg", "kept.jpg");
    env.remove("photos/2009/01/new.jpg");
    assert_eq!(watch.until("removed")["name"], "mine.jpg");

    assert_eq!(watch.stop(rustix::process::Signal::TERM), 0);
    let again = env.json(["flat", "-n", "photos", "flat"]);
    assert_eq!((&again["linked"], &again["removed"]), (&0.into(), &0.into()));
}

#[test]
fn another_polylink_is_refused_while_one_watches_and_welcome_afterwards() {
    let env = TestEnv::photos();
    let mut watch = Watch::start(&env, &[]);
    let refused = env.run(["flat", "photos", "flat"]);
    assert_eq!(refused.code, 2, "{refused}");
    assert!(
        refused.stderr.contains("another polylink works on this view"),
        "{refused}"
    );
    assert_eq!(watch.stop(rustix::process::Signal::INT), 0);
    env.ok(["flat", "photos", "flat"]);
}

#[test]
fn what_is_not_heard_of_is_found_on_the_timer() {
    let env = TestEnv::photos();
    env.dir("photos/closed");
    let mut watch = Watch::start(&env, &["--rescan", "1s"]);
    // a new name that no directory tells of: the folder above the source is not watched
    std::fs::rename(env.path("photos"), env.path("moved")).unwrap();
    watch.until("cannot_update");
    assert_eq!(
        env.names_in("flat"),
        ["a (2007-02).jpg", "a.jpg", "b.jpg"],
        "nothing was removed"
    );
    std::fs::rename(env.path("moved"), env.path("photos")).unwrap();
    watch.until("reconciled");
    env.write("photos/2007/02/later.jpg", "later");
    wait(|| env.path("flat/later.jpg").exists());
}

#[test]
fn memory_handles_and_watches_stay_what_they_are() {
    let env = TestEnv::photos();
    let watch = Watch::start(&env, &[]);
    // what it says is not read any more, and fits in the pipe
    let proc = std::path::PathBuf::from(format!("/proc/{}", watch.child.id()));
    if !proc.exists() {
        return; // not Linux: nobody says what a process holds
    }
    let holds = || {
        let status = std::fs::read_to_string(proc.join("status")).unwrap();
        let resident = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .unwrap();
        let kib: u64 = resident.trim().trim_end_matches(" kB").parse().unwrap();
        let mut watches = 0;
        let mut handles = 0;
        for entry in std::fs::read_dir(proc.join("fdinfo")).unwrap() {
            let text = std::fs::read_to_string(entry.unwrap().path()).unwrap_or_default();
            watches += text.lines().filter(|line| line.starts_with("inotify")).count();
            handles += 1;
        }
        (kib, handles, watches)
    };
    let cycle = |number: u32| {
        let (dir, name) = (format!("photos/cycle {number}"), format!("cycle {number}.jpg"));
        env.write(format!("{dir}/{name}"), "x");
        wait(|| env.path("flat").join(&name).exists());
        std::fs::remove_dir_all(env.path(&dir)).unwrap();
        // the view holds the last name now, and it is removed as well
        env.remove(&format!("flat/{name}"));
        wait(|| holds().2 == 6);
    };
    (0..30).for_each(cycle);
    let (kib, handles, watches) = holds();
    (30..150).for_each(cycle);
    // it may be at work at this moment
    wait(|| {
        let (_, handles_now, watches_now) = holds();
        handles_now <= handles && watches_now == watches
    });
    let (kib_now, ..) = holds();
    assert!(kib_now < kib + 4096, "{kib} KiB became {kib_now} KiB");
}
