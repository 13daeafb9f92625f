//! How a command fails: what it says, what it hints, and with which code the process ends.

use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use polylink_core::{Fault, FaultKind, PathError};
use serde::Serialize;

use crate::codes::{self, Codes};
use crate::json::{self, JsonPath};

/// Why a command ends early; decides the exit code.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum ErrorKind {
    /// The operation itself failed.
    Failed,
    /// The command line makes no sense, or the work cannot begin.
    CannotStart,
    /// The user stopped it.
    Interrupted,
    /// Whoever read our output has enough.
    BrokenPipe,
}

/// How a command that ran to its end went.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Outcome {
    /// All of it was done.
    Done,
    /// Some items failed, differ, or could not be read.
    Partial,
}

impl Outcome {
    /// Whether all of it was done.
    pub(crate) fn of(complete: bool) -> Self {
        if complete { Self::Done } else { Self::Partial }
    }

    /// The same of a run that can be stopped: then the error says what running it again does.
    pub(crate) fn of_run(stopped: bool, complete: bool, again: &str) -> Result<Self, CommandError> {
        if stopped {
            let hint = format!("run the same command again: {again}");
            return Err(CommandError::interrupted().hint(hint));
        }
        Ok(Self::of(complete))
    }
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Done => Self::SUCCESS,
            Outcome::Partial => Self::from(1),
        }
    }
}

/// A failed command, ready to be shown.
#[derive(Clone, Debug)]
pub(crate) struct CommandError {
    pub(crate) kind: ErrorKind,
    pub(crate) message: String,
    pub(crate) causes: Vec<String>,
    pub(crate) hints: Vec<String>,
    pub(crate) paths: Vec<PathBuf>,
    /// Boxed, to keep results small.
    pub(crate) fault: Option<Box<Fault>>,
}

impl CommandError {
    fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            causes: Vec::new(),
            hints: Vec::new(),
            paths: Vec::new(),
            fault: None,
        }
    }

    /// The operation failed.
    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Failed, message)
    }

    /// The command line is wrong, or the work cannot begin.
    pub(crate) fn cannot_start(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::CannotStart, message)
    }

    /// The user pressed Ctrl-C or sent SIGTERM.
    pub(crate) fn interrupted() -> Self {
        Self::new(ErrorKind::Interrupted, "interrupted")
    }

    /// Adds what to do about it.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Adds several hints.
    pub(crate) fn hints(mut self, hints: impl IntoIterator<Item = String>) -> Self {
        self.hints.extend(hints);
        self
    }

    /// Adds a path that the error concerns.
    pub(crate) fn path(mut self, path: impl AsRef<Path>) -> Self {
        self.paths.push(path.as_ref().into());
        self
    }

    /// Says that the work could not even begin.
    pub(crate) fn before_start(mut self) -> Self {
        if self.kind == ErrorKind::Failed {
            self.kind = ErrorKind::CannotStart;
        }
        self
    }

    /// From an error of the library, which names no hints: its paths, and its causes down to the last.
    pub(crate) fn from_path(error: &PathError) -> Self {
        let kind = match error.fault.kind() {
            FaultKind::Interrupted => ErrorKind::Interrupted,
            _ => ErrorKind::Failed,
        };
        Self {
            causes: vec![codes::native(error.fault).to_string()],
            paths: [Some(error.path.clone()), error.to.clone()]
                .into_iter()
                .flatten()
                .collect(),
            fault: Some(Box::new(error.fault)),
            ..Self::new(kind, error.to_string())
        }
    }

    /// From an error of the standard library on one path.
    pub(crate) fn from_io(action: &str, path: &Path, error: &std::io::Error) -> Self {
        let mut failed = Self::failed(format!("cannot {action} '{}'", polylink_core::shown(path))).path(path);
        failed.cause(error);
        failed
    }

    /// Adds what an error goes back to; one of the system with its symbol.
    fn cause(&mut self, cause: &(dyn Error + 'static)) {
        match cause.downcast_ref().and_then(polylink_host::facts::fault_of) {
            Some(fault) => {
                self.causes.push(fault.to_string());
                self.fault = Some(Box::new(fault));
            }
            None => self.causes.push(cause.to_string()),
        }
    }

    /// From any other error: its text and that of its sources.
    pub(crate) fn from_error(error: &(dyn Error + 'static)) -> Self {
        let mut failed = Self::failed(error.to_string());
        let mut source = error.source();
        while let Some(cause) = source {
            failed.cause(cause);
            source = cause.source();
        }
        failed
    }

    pub(crate) fn exit_code(&self) -> ExitCode {
        match self.kind {
            ErrorKind::BrokenPipe => ExitCode::SUCCESS,
            ErrorKind::Failed => ExitCode::from(1),
            ErrorKind::CannotStart => ExitCode::from(2),
            ErrorKind::Interrupted => ExitCode::from(130),
        }
    }

    /// The text for a person; `paint` colours the words that open the lines.
    pub(crate) fn text(&self, paint: impl Fn(&'static str) -> String) -> String {
        let mut text = String::new();
        // OK to ignore: writing to a string cannot fail
        let _ = writeln!(text, "{} {}", paint("error:"), self.message);
        for cause in &self.causes {
            let _ = writeln!(text, "{} {cause}", paint("caused by:"));
        }
        for hint in &self.hints {
            let _ = writeln!(text, "{} {hint}", paint("hint:"));
        }
        text
    }

    /// The document for a program.
    pub(crate) fn json(&self, command: Option<&str>) -> String {
        let codes = self.fault.as_deref().copied().map(Codes::of);
        let document = ErrorDocument {
            schema: json::SCHEMA,
            command,
            error: ErrorBody {
                message: &self.message,
                causes: &self.causes,
                codes: codes.unwrap_or_default(),
                paths: self.paths.iter().map(|path| JsonPath(path)).collect(),
                hints: &self.hints,
            },
        };
        json::text(&document)
    }
}

impl From<PathError> for CommandError {
    fn from(error: PathError) -> Self {
        Self::from_path(&error)
    }
}

#[derive(Serialize)]
struct ErrorDocument<'a> {
    schema: u32,
    command: Option<&'a str>,
    error: ErrorBody<'a>,
}

#[derive(Serialize)]
struct ErrorBody<'a> {
    message: &'a str,
    causes: &'a [String],
    #[serde(flatten)]
    codes: Codes,
    paths: Vec<JsonPath<'a>>,
    hints: &'a [String],
}

/// The error of a command line that clap cannot read, in this program's form.
pub(crate) fn from_clap(error: &clap::Error) -> CommandError {
    let text = error.render().to_string();
    let mut failed = CommandError::cannot_start(String::new());
    let mut hints = Vec::new();
    let mut in_usage = false;
    for line in text.lines() {
        let line = line.trim_end();
        if let Some(message) = line.strip_prefix("error: ") {
            failed.message = message.into();
        } else if let Some(tip) = line.trim_start().strip_prefix("tip: ") {
            hints.push(tip.to_owned());
        } else if let Some(usage) = line.strip_prefix("Usage: ") {
            in_usage = true;
            hints.push(format!("usage: {usage}"));
        } else if line.is_empty() || line.starts_with("For more information") {
        } else if !in_usage {
            let line = line.trim();
            let joined = failed.message.ends_with(':') || line.starts_with('[');
            failed.message.push_str(if joined { " " } else { "; " });
            failed.message.push_str(line);
        }
    }
    hints.push("'--help' explains the options and gives examples".into());
    failed.hints(hints)
}
