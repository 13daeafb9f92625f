//! The release program under Wine, as its user meets it; what it did is looked at from Linux.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::Value;

use crate::judges::lab::{Lab, Run, ensure};
use crate::judges::{Stop, Verdict};
use crate::shell;
use crate::windows::{Target, Wine};

/// How long the program may take to begin, and to end when it is told to.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) fn told(lab: &Lab) -> Verdict {
    let (toolchain, wine) = (super::toolchain()?, super::wine()?);
    let stage = Stage {
        program: toolchain.polylink(Target::Win7)?,
        wine,
        root: lab.folder("windows")?,
    };
    stage.doors()?;
    stage.refusals()?;
    stage.replacing()?;
    stage.view()?;
    stage.accounts()?;
    stage.demo()?;
    stage.interrupted()
}

/// The program, and the folder in which it runs.
struct Stage {
    wine: Wine,
    program: PathBuf,
    root: PathBuf,
}

/// What tells a file from all others, and how many names it has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct File {
    inode: u64,
    names: u64,
}

impl Stage {
    fn run(&self, args: &[&str]) -> Verdict<Run> {
        let mut command = self.wine.command(&self.program, args);
        command.current_dir(&self.root);
        let line = shell::shown(&command);
        let output = command.output().map_err(|error| format!("  {line}: {error}"))?;
        Ok(Run {
            line,
            code: output.status.code(),
            stdout: output.stdout,
            stderr: output.stderr,
        })
    }

    fn write(&self, path: &str, content: impl AsRef<[u8]>) -> Verdict<PathBuf> {
        let path = self.root.join(path);
        fs::create_dir_all(path.parent().unwrap_or(&self.root))?;
        fs::write(&path, content)?;
        Ok(path)
    }

    fn file(&self, path: &str) -> Verdict<File> {
        let meta =
            fs::symlink_metadata(self.root.join(path)).map_err(|error| format!("  {path}: {error}"))?;
        Ok(File {
            inode: meta.ino(),
            names: meta.nlink(),
        })
    }

    /// Fails unless all paths are names of one file, and it has no others.
    fn one_file(&self, paths: &[&str]) -> Verdict {
        let wanted = File {
            inode: self.file(paths[0])?.inode,
            names: paths.len() as u64,
        };
        for path in paths {
            let found = self.file(path)?;
            ensure(found == wanted, || {
                format!("{path} is {found:?}, {} makes {wanted:?}", paths[0])
            })?;
        }
        Ok(())
    }

    fn names(&self, dir: &str) -> Verdict<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(self.root.join(dir))? {
            names.push(entry?.file_name().to_string_lossy().into_owned());
        }
        names.sort();
        Ok(names)
    }

    /// Runs what must be refused, and fails unless it is for this reason: the Win32 code and, where the door tells it,
    /// the NTSTATUS.
    fn refused(&self, args: &[&str], win32: u64, status: Option<&str>) -> Verdict<Value> {
        let run = self.run(&[args, &["--json"]].concat())?.exits(&[1])?;
        let document: Value = serde_json::from_slice(&run.stderr)
            .map_err(|error| format!("  {error} in what {} said: {}", run.line, run.text()))?;
        let error = &document["error"];
        ensure(error["win32"].as_u64() == Some(win32), || {
            format!("expected Windows error {win32}: {document}")
        })?;
        if let Some(status) = status {
            ensure(error["status"].as_str() == Some(status), || {
                format!("expected {status}: {document}")
            })?;
        }
        ensure(error["errno"].is_null(), || {
            format!("an error of Unix on Windows: {document}")
        })?;
        Ok(document)
    }

    fn doors(&self) -> Verdict {
        self.write("doors/file", "data")?;
        for (number, door) in (2..).zip(["auto", "create", "native"]) {
            let new = format!("doors/{door}");
            let run = self
                .run(&["link", "--json", "--via", door, "doors\\file", &new])?
                .exits(&[0])?;
            run.number("link_count", number)?;
            run.says(&["\"done\": \"linked\""])?;
        }
        self.one_file(&["doors/file", "doors/auto", "doors/create", "doors/native"])?;
        // Wine renames where it should link: that must be noticed and undone
        self.write("moved/file", "data")?;
        let before = self.file("moved/file")?;
        self.refused(
            &["link", "--via", "move", "moved\\file", "moved\\new"],
            50,
            Some("STATUS_NOT_SUPPORTED"),
        )?;
        ensure(self.names("moved")? == ["file"], || {
            "the move door changed the folder".to_owned()
        })?;
        ensure(self.file("moved/file")? == before, || {
            "the move door made another file of it".to_owned()
        })
    }

    fn refusals(&self) -> Verdict {
        self.write("no/file", "1")?;
        self.write("no/taken", "2")?;
        self.write("no/folder/inside", "3")?;
        for door in ["create", "native"] {
            let link = |existing, new| vec!["link", "--via", door, existing, new];
            let native = |status| (door == "native").then_some(status);
            let refuse = |args: Vec<&str>, win32, status| self.refused(&args, win32, native(status));
            refuse(link(r"no\file", r"no\taken"), 183, "STATUS_OBJECT_NAME_COLLISION")?;
            let hints = refuse(link(r"no\folder", r"no\album"), 5, "STATUS_FILE_IS_A_DIRECTORY")?;
            ensure(hints.to_string().contains("link the files in it"), || {
                format!("a directory, and no hint: {hints}")
            })?;
            refuse(link(r"no\nothing", r"no\new"), 2, "STATUS_OBJECT_NAME_NOT_FOUND")?;
            refuse(
                link(r"no\file", r"nowhere\new"),
                3,
                "STATUS_OBJECT_PATH_NOT_FOUND",
            )?;
        }
        ensure(self.names("no")? == ["file", "folder", "taken"], || {
            "a refusal changed something".to_owned()
        })
    }

    fn replacing(&self) -> Verdict {
        self.write("replace/new", "new")?;
        self.write("replace/old", "old")?;
        fs::hard_link(self.root.join("replace/old"), self.root.join("replace/kept"))?;
        let link = ["link", "--replace", r"replace\new", r"replace\old"];
        self.run(&[&link[..], &["-n", "--json"]].concat())?
            .exits(&[0])?
            .says(&["\"done\": \"replaced\""])?;
        ensure(self.file("replace/old")? == self.file("replace/kept")?, || {
            "a dry run replaced a name".to_owned()
        })?;
        self.run(&link)?.exits(&[0])?.says(&["keeps 1 other name"])?;
        self.one_file(&["replace/new", "replace/old"])?;
        self.one_file(&["replace/kept"])?;
        let fixed = self.write("replace/fixed", "read-only")?;
        fs::set_permissions(&fixed, fs::Permissions::from_mode(0o444))?;
        let said = self.refused(
            &["link", "--replace", r"replace\new", r"replace\fixed"],
            5,
            Some("STATUS_ACCESS_DENIED"),
        )?;
        ensure(said.to_string().contains("read-only"), || {
            format!("a read-only victim, and no hint: {said}")
        })?;
        ensure(fs::read(fixed)? == b"read-only", || {
            "a read-only file was replaced".to_owned()
        })?;
        let names = self.names("replace")?;
        ensure(names == ["fixed", "kept", "new", "old"], || {
            format!("a temporary name stayed: {names:?}")
        })
    }

    fn view(&self) -> Verdict {
        self.write("photos/2006/11/img.jpg", "first")?;
        self.write("photos/2007/02/IMG.JPG", "second")?;
        self.write("photos/2007/02/ünïcode 日本.jpg", "third")?;
        let flat = ["flat", "--json", "photos", "all"];
        self.run(&[&flat[..], &["-n"]].concat())?
            .exits(&[0])?
            .number("linked", 3)?;
        ensure(!self.root.join("all").exists(), || {
            "a dry run made the view".to_owned()
        })?;
        self.run(&flat)?.exits(&[0])?.number("linked", 3)?;
        // names that differ in case only cannot stand side by side on Windows
        self.one_file(&["photos/2006/11/img.jpg", "all/img.jpg"])?;
        self.one_file(&["photos/2007/02/IMG.JPG", "all/IMG (2007-02).JPG"])?;
        self.one_file(&["photos/2007/02/ünïcode 日本.jpg", "all/ünïcode 日本.jpg"])?;
        let idle = self.run(&flat)?.exits(&[0])?;
        idle.number("linked", 0)?;
        idle.number("kept", 3)?;
        // one comes, one goes whose view name is the last, one is saved by rename
        self.write("photos/2008/01/new.jpg", "fourth")?;
        fs::remove_file(self.root.join("photos/2007/02/ünïcode 日本.jpg"))?;
        let saved = self.write("photos/2006/11/img.jpg.new", "first, saved")?;
        fs::rename(saved, self.root.join("photos/2006/11/img.jpg"))?;
        let update = self.run(&flat)?.exits(&[0])?;
        for (field, number) in [("linked", 1), ("relinked", 1), ("orphans", 2), ("superseded", 1)] {
            update.number(field, number)?;
        }
        self.one_file(&["photos/2008/01/new.jpg", "all/new.jpg"])?;
        self.one_file(&["photos/2006/11/img.jpg", "all/img.jpg"])?;
        let names = self.names("all")?;
        ensure(names.len() == 5, || {
            format!("the view should hold five names: {names:?}")
        })
    }

    fn accounts(&self) -> Verdict {
        let usage = self
            .run(&["usage", "--json", "photos", "all"])?
            .exits(&[0])?
            .json()?;
        let total = &usage["total"];
        let number = |field: &str| total[field].as_u64();
        // three files with two names each, and two orphans
        ensure((number("names"), number("files")) == (Some(8), Some(5)), || {
            format!("five files with eight names: {usage}")
        })?;
        ensure(number("shared_bytes") == Some(0), || {
            format!("all names lie inside: {usage}")
        })?;
        let names = self.run(&["names", "--json", r"all\new.jpg", "--in", "photos", "--in", "all"])?;
        let names = names.exits(&[0])?.json()?;
        let found = names["names"].as_array().map(Vec::len);
        ensure(
            (found, names["complete"].as_bool()) == (Some(2), Some(true)),
            || format!("two names, all of them: {names}"),
        )?;
        self.run(&["doctor", "photos", "all"])?.exits(&[0])?.says(&[
            "link from source to view: works",
            "link from view to source: works",
        ])?;
        self.run(&["cost", "--links", "20", "--files", "50", "."])?
            .exits(&[0])?
            .says(&["one file of 3,212,078 bytes, 20 further names"])
            .map(drop)
    }

    fn demo(&self) -> Verdict {
        fs::create_dir(self.root.join("demo"))?;
        self.run(&["demo", "--files", "1000", "--in", "demo"])?
            .exits(&[0])?
            .says(&["Checked: each of the 1,005 files"])?;
        ensure(self.names("demo")?.is_empty(), || {
            "the demo left something behind".to_owned()
        })
    }

    /// Ctrl-C, which Wine makes of SIGINT.
    fn interrupted(&self) -> Verdict {
        use std::os::unix::process::CommandExt as _;
        let dir = self.root.join("stopped");
        fs::create_dir(&dir)?;
        let args = ["demo", "--files", "1000000", "--in", "stopped"];
        let mut command = self.wine.command(&self.program, args);
        command
            .current_dir(&self.root)
            .process_group(0)
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let mut child = command.spawn()?;
        let start = Instant::now();
        while self.names("stopped")?.is_empty() && start.elapsed() < PATIENCE {
            std::thread::sleep(Duration::from_millis(20));
        }
        kill_process_group(Pid::from_child(&child), Signal::INT).map_err(Stop::from)?;
        let start = Instant::now();
        let status = loop {
            if let Some(status) = child.try_wait()? {
                break status;
            }
            if start.elapsed() > PATIENCE {
                // OK to ignore: it may have ended by now
                let _ = kill_process_group(Pid::from_child(&child), Signal::KILL);
                drop(child.wait());
                return Err("  Ctrl-C did not end the program".to_owned().into());
            }
            std::thread::sleep(Duration::from_millis(20));
        };
        ensure(status.code() == Some(130), || {
            format!("Ctrl-C ended the program with {status}")
        })?;
        ensure(dir.exists() && self.names("stopped")?.is_empty(), || {
            "what was interrupted left something behind".to_owned()
        })
    }
}
