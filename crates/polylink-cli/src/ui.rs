//! The screen: the only place that prints.
//!
//! Results go to the standard output; everything else goes to the standard error stream, where a failure to write is
//! of no interest. A reader of the results who leaves early is no error: the command ends, with code 0.

use std::cell::RefCell;
use std::io::{self, BufWriter, IsTerminal as _, Stdout, Write as _};

use serde::Serialize;

use crate::args::{Env, Global, When};
use crate::error::{CommandError, ErrorKind};
use crate::format::{Align, Table, count};
use crate::json;

/// Where and how to print.
#[derive(Debug)]
pub(crate) struct Ui {
    out: RefCell<BufWriter<Stdout>>,
    json: bool,
    quiet: bool,
    color_out: bool,
    color_err: bool,
    progress: When,
}

/// What a command that changes something did, or would do. Who asks for quiet does not want to hear what was done; what
/// would be done is the answer that a dry run was asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Report<'a> {
    ui: &'a Ui,
    dry_run: bool,
}

impl Report<'_> {
    /// Prints a line of it.
    pub(crate) fn line(self, text: &str) -> Result<(), CommandError> {
        if self.is_hidden() {
            return Ok(());
        }
        self.ui.line(text)
    }

    /// Prints its heading and what is counted: what, how many, and what that means.
    pub(crate) fn counts(
        self,
        rows: impl IntoIterator<Item = (&'static str, u64, String)>,
    ) -> Result<(), CommandError> {
        let heading = if self.dry_run { "would be done" } else { "done" };
        self.line(&self.ui.paint(Style::Heading, heading))?;
        let mut table = Table::new(&[Align::Left, Align::Right, Align::Left]).indent(2);
        for (what, number, why) in rows {
            table.row([what.to_owned(), count(number), why]);
        }
        self.out(&table.text())
    }

    /// Prints text that ends its lines itself.
    pub(crate) fn out(self, text: &str) -> Result<(), CommandError> {
        if self.is_hidden() {
            return Ok(());
        }
        self.ui.out(text)
    }

    fn is_hidden(self) -> bool {
        self.ui.quiet && !self.dry_run
    }
}

/// Bytes of results that are printed at once.
const OUT_BUFFER: usize = 64 << 10;

/// What a piece of text is, and so its colour.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Style {
    Heading,
    Good,
    Bad,
    Warning,
}

impl Style {
    fn code(self) -> &'static str {
        match self {
            Self::Heading => "1",
            Self::Good => "32",
            Self::Bad => "1;31",
            Self::Warning => "33",
        }
    }
}

/// Whether the terminal takes escape sequences; on Windows it has to be told that they will come.
fn understands_colors() -> bool {
    #[cfg(windows)]
    {
        anstyle_query::windows::enable_ansi_colors() != Some(false)
    }
    #[cfg(not(windows))]
    {
        true
    }
}

fn painted(on: bool, style: Style, text: &str) -> String {
    if on {
        format!("\x1b[{}m{text}\x1b[0m", style.code())
    } else {
        text.to_owned()
    }
}

impl Ui {
    pub(crate) fn new(global: &Global, env: &Env) -> Self {
        let color = |terminal: bool| match global.color {
            When::Always => true,
            When::Never => false,
            When::Auto => terminal && !env.no_color && !env.dumb_terminal && understands_colors(),
        };
        Self {
            out: RefCell::new(BufWriter::with_capacity(OUT_BUFFER, io::stdout())),
            json: global.json,
            quiet: global.quiet,
            color_out: color(io::stdout().is_terminal()),
            color_err: color(io::stderr().is_terminal()),
            progress: global.progress,
        }
    }

    /// Whether one JSON document is wanted, and no text.
    pub(crate) fn json(&self) -> bool {
        self.json
    }

    /// When to show progress.
    pub(crate) fn progress(&self) -> When {
        if self.quiet { When::Never } else { self.progress }
    }

    /// Prints a result.
    pub(crate) fn out(&self, text: &str) -> Result<(), CommandError> {
        self.out
            .borrow_mut()
            .write_all(text.as_bytes())
            .map_err(|error| output_error(&error))
    }

    /// Prints a result as a line.
    pub(crate) fn line(&self, text: &str) -> Result<(), CommandError> {
        self.out(text)?;
        self.out("\n")
    }

    /// What was done, or would be.
    pub(crate) fn report(&self, dry_run: bool) -> Report<'_> {
        Report { ui: self, dry_run }
    }

    /// Prints a line and sees to it that it is on the screen before the work goes on.
    pub(crate) fn line_now(&self, text: &str) -> Result<(), CommandError> {
        self.line(text)?;
        self.flush()
    }

    /// Prints bytes as they are, for a program to read.
    pub(crate) fn raw(&self, bytes: &[u8]) -> Result<(), CommandError> {
        self.out
            .borrow_mut()
            .write_all(bytes)
            .map_err(|error| output_error(&error))
    }

    /// Prints the document.
    pub(crate) fn document<T: Serialize>(&self, document: &T) -> Result<(), CommandError> {
        self.out(&json::text(document))
    }

    /// Text for the results, coloured where colour is wanted.
    pub(crate) fn paint(&self, style: Style, text: &str) -> String {
        painted(self.color_out, style, text)
    }

    /// Tells something beside the results.
    pub(crate) fn note(&self, text: &str) {
        if !self.quiet && !self.json {
            self.err(&format!("{text}\n"));
        }
    }

    /// Warns: something is not as it should be, but the work goes on.
    pub(crate) fn warn(&self, text: &str) {
        if !self.json {
            self.err(&format!(
                "{} {text}\n",
                painted(self.color_err, Style::Warning, "warning:")
            ));
        }
    }

    /// Says what to do about what was just warned of.
    pub(crate) fn hint(&self, text: &str) {
        if !self.json {
            self.err(&format!(
                "{} {text}\n",
                painted(self.color_err, Style::Heading, "hint:")
            ));
        }
    }

    /// Whether somebody is there to answer.
    pub(crate) fn can_ask(&self) -> bool {
        !self.json && !self.quiet && io::stdin().is_terminal() && io::stderr().is_terminal()
    }

    /// Asks a question that is answered by yes or no; anything but yes is no.
    pub(crate) fn ask(&self, question: &str) -> Result<bool, CommandError> {
        self.err(&format!("{question} [y/N] "));
        let mut answer = String::new();
        io::stdin().read_line(&mut answer).map_err(|error| {
            let mut failed = CommandError::failed("cannot read the answer");
            failed.causes.push(error.to_string());
            failed
        })?;
        Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
    }

    /// Shows an error.
    pub(crate) fn error(&self, error: &CommandError, command: Option<&str>) {
        if error.kind == ErrorKind::BrokenPipe {
            return;
        }
        if self.json {
            self.err(&error.json(command));
            return;
        }
        self.err(&error.text(|word| {
            let style = if word == "error:" {
                Style::Bad
            } else {
                Style::Heading
            };
            painted(self.color_err, style, word)
        }));
    }

    /// Prints what is still in the buffer.
    pub(crate) fn flush(&self) -> Result<(), CommandError> {
        self.out
            .borrow_mut()
            .flush()
            .map_err(|error| output_error(&error))
    }

    fn err(&self, text: &str) {
        // keep the order that a person at a terminal expects; a failure shows at the next write
        drop(self.out.borrow_mut().flush());
        err(text);
    }
}

/// Prints to the standard error stream, come what may.
pub(crate) fn err(text: &str) {
    drop(io::stderr().write_all(text.as_bytes()));
}

fn output_error(error: &io::Error) -> CommandError {
    if error.kind() == io::ErrorKind::BrokenPipe {
        return CommandError {
            kind: ErrorKind::BrokenPipe,
            ..CommandError::failed("closed pipe")
        };
    }
    let mut failed = CommandError::failed("cannot write the results");
    failed.causes.push(error.to_string());
    failed
}
