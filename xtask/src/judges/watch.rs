//! `flat --watch` in trouble, and for long.

mod steady;

use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::lab::{Lab, args, ensure, needs};
use super::{Stop, Verdict, truth};

pub(crate) use steady::steady;

/// What is told of comes within this, however busy the machine is.
const PATIENCE: Duration = Duration::from_secs(30);

/// A process that follows, and what it tells of. It is ended when this goes.
struct Follower {
    child: Child,
    told: Receiver<Value>,
}

impl Drop for Follower {
    fn drop(&mut self) {
        // OK to ignore: it has ended already
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Follower {
    /// Starts it, and waits until it follows.
    fn start(mut command: Command) -> Verdict<Self> {
        command.stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn()?;
        let (send, told) = channel();
        let out = child.stdout.take();
        std::thread::spawn(move || {
            for line in out.into_iter().flat_map(|out| BufReader::new(out).lines()) {
                let value = line.ok().and_then(|line| serde_json::from_str(&line).ok());
                // an end that nobody listens to any more is no news
                if value.is_none_or(|value| send.send(value).is_err()) {
                    return;
                }
            }
        });
        let follower = Self { child, told };
        follower.until("following")?;
        Ok(follower)
    }

    /// The next event of this kind.
    fn until(&self, event: &str) -> Verdict<Value> {
        let until = Instant::now() + PATIENCE;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let told = self.told.recv_timeout(left);
            let told = told.map_err(|error| Stop::Failed(format!("  `{event}` was never told: {error}")))?;
            if told["event"] == event {
                return Ok(told);
            }
        }
    }

    /// Tells it to end, and judges that this is a good end.
    fn stop(mut self) -> Verdict {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM)?;
        let status = self.child.wait()?;
        ensure(status.code() == Some(0), || format!("it ended with {status}"))
    }
}

/// Waits for what must come.
fn wait(what: &str, holds: impl Fn() -> bool) -> Verdict {
    let until = Instant::now() + PATIENCE;
    while !holds() {
        ensure(Instant::now() < until, || format!("this never came: {what}"))?;
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}

/// A tree, its view, and how to follow it.
struct Scene<'a> {
    lab: &'a Lab,
    source: PathBuf,
    view: PathBuf,
    extra: Vec<&'static str>,
}

impl<'a> Scene<'a> {
    fn new(lab: &'a Lab, home: &Path, extra: &[&'static str]) -> Verdict<Self> {
        let (source, view) = (home.join("tree"), home.join("view"));
        truth::year_tree(&source, 60)?;
        Ok(Self {
            lab,
            source,
            view,
            extra: extra.to_vec(),
        })
    }

    fn words(&self, options: &[&str]) -> Vec<std::ffi::OsString> {
        let mut words = args([&"--json", &"flat"]);
        words.extend(options.iter().chain(&self.extra).map(Into::into));
        words.extend([self.source.clone().into(), self.view.clone().into()]);
        words
    }

    fn follow(&self) -> Verdict<Follower> {
        let mut command = self.lab.command();
        command.args(self.words(&["--watch", "--rescan", "1s"]));
        Follower::start(command)
    }

    fn shows(&self, name: &str) -> Verdict {
        wait(&format!("'{name}' in the view"), || {
            self.view.join(name).symlink_metadata().is_ok()
        })
    }

    /// Ends it, and judges that a fresh update has nothing to do.
    fn ends(&self, follower: Follower) -> Verdict {
        // what follows from the last change itself
        std::thread::sleep(Duration::from_millis(200));
        follower.stop()?;
        let rest = self.lab.polylink(self.words(&["-n"]))?.exits(&[0])?;
        for field in ["linked", "relinked", "renamed", "removed"] {
            rest.number(field, 0)?;
        }
        truth::nothing_left_behind(&self.view)
    }
}

/// Directories come and go while they are watched: the one above, the source, the view.
pub(crate) fn moved(lab: &Lab) -> Verdict {
    let home = lab.ext4()?;
    let scene = Scene::new(lab, &home, &[])?;
    let follower = scene.follow()?;
    let names = truth::listing(&scene.view)?;
    let year = fs::read_dir(&scene.source)?.flatten().next();
    let year = year
        .map(|entry| entry.path())
        .ok_or("the tree is empty".to_owned())?;

    // away, where nobody watches, and back: nothing of it was the last name, so its names go and come
    fs::rename(&year, home.join("away"))?;
    wait("the names of what was moved away go", || {
        truth::listing(&scene.view).is_ok_and(|now| now.len() < names.len())
    })?;
    fs::write(home.join("away/while away.jpg"), "away")?;
    fs::rename(home.join("away"), &year)?;
    scene.shows("while away.jpg")?;
    wait("all names are back", || {
        truth::listing(&scene.view).is_ok_and(|now| now.len() == names.len() + 1)
    })?;

    // the source itself: nothing is concluded from its absence, and its files have names in the view alone then
    fs::remove_dir_all(&scene.source)?;
    follower.until("cannot_update")?;
    fs::create_dir_all(scene.source.join("new"))?;
    fs::write(scene.source.join("new/made anew.jpg"), "anew")?;
    scene.shows("made anew.jpg")?;
    let now = truth::listing(&scene.view)?;
    ensure(now.len() == names.len() + 2, || {
        format!("{} names in the view, of {}", now.len(), names.len() + 2)
    })?;
    fs::write(scene.source.join("new/and later.jpg"), "later")?;
    scene.shows("and later.jpg")?;

    // the view: it is made again, of the files that the source has
    fs::remove_dir_all(&scene.view)?;
    scene.shows("and later.jpg")?;
    scene.shows("made anew.jpg")?;
    fs::write(scene.source.join("new/after the view.jpg"), "after")?;
    scene.shows("after the view.jpg")?;
    scene.ends(follower)
}

/// The user may watch three directories only: it is said, nothing goes, and the timer finds what was not heard of.
pub(crate) fn limit(lab: &Lab) -> Verdict {
    needs("unshare", "util-linux")?;
    let scene = Scene::new(lab, &lab.folder("home")?, &[])?;
    // in a user namespace of its own a process has a limit of its own
    let inside = |words: &[std::ffi::OsString]| {
        let mut command = lab.command();
        let program = command.get_program().to_owned();
        command = Command::new("unshare");
        command
            .args(["--user", "--map-root-user", "sh", "-c"])
            .arg("echo 3 > /proc/sys/user/max_inotify_watches && exec \"$@\"")
            .args([OsStr::new("sh"), &program])
            .args(words)
            .env("XDG_STATE_HOME", lab.path("state"))
            .env("NO_COLOR", "1");
        command
    };
    let possible = inside(&["--version".into()]).output()?;
    if !possible.status.success() {
        return Err(Stop::Skipped("no user namespaces here".to_owned()));
    }
    let follower = Follower::start(inside(&scene.words(&["--watch", "--rescan", "1s"])))?;
    let files = truth::listing(&scene.source)?.len();
    let unheard = truth::listing(&scene.source)?.into_keys().next_back();
    let unheard = unheard
        .and_then(|name| name.parent().map(Path::to_path_buf))
        .unwrap_or_default();
    fs::write(scene.source.join(unheard).join("not heard of.jpg"), "unheard")?;
    scene.shows("not heard of.jpg")?;
    fs::write(scene.source.join("heard of or not.jpg"), "heard")?;
    scene.shows("heard of or not.jpg")?;
    let now = truth::listing(&scene.view)?.len();
    ensure(now == files + 2, || {
        format!("{now} names in the view of {} files", files + 2)
    })?;
    scene.ends(follower)?;
    // and what it says of it
    let mut words: Vec<_> = scene.words(&["--watch", "--rescan", "1s"]);
    words.retain(|word| word != "--json");
    let mut child = inside(&words)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()?;
    let lines = child.stderr.take().map(|out| BufReader::new(out).lines());
    let mut text = String::new();
    for line in lines.into_iter().flatten() {
        text.push_str(&line?);
        text.push('\n');
        if text.contains("; Ctrl-C ends it") {
            break;
        }
    }
    child.kill()?;
    child.wait()?;
    let (told, hinted) = (
        text.matches("watches no more directories").count(),
        text.contains("fs.inotify.max_user_watches") && text.contains("--rescan"),
    );
    ensure(told == 1 && hinted, || {
        format!("it is told {told} times:\n{text}")
    })
}

/// The source's file system is unmounted while it is followed, and mounted again.
pub(crate) fn unmounted(lab: &Lab) -> Verdict {
    let disk = lab.ext4()?;
    let home = lab.folder("home")?;
    let mut scene = Scene::new(lab, &home, &["--fallback", "copy"])?;
    fs::remove_dir_all(&scene.source)?;
    scene.source = disk.join("tree");
    truth::year_tree(&scene.source, 60)?;
    let follower = scene.follow()?;
    let names = truth::listing(&scene.view)?;
    // nothing is held open there between updates
    lab.unmount(&disk)?;
    follower.until("cannot_update")?;
    ensure(truth::listing(&scene.view)? == names, || {
        "names went with the mount".to_owned()
    })?;
    let image = lab.path("ext4.img");
    lab.mount(&["-o".as_ref(), "loop".as_ref(), image.as_os_str()], &disk)?;
    fs::write(scene.source.join("mounted again.jpg"), "again")?;
    scene.shows("mounted again.jpg")?;
    let now = truth::listing(&scene.view)?.len();
    ensure(now == names.len() + 1, || {
        format!("{now} names in the view, of {}", names.len() + 1)
    })?;
    scene.ends(follower)
}
