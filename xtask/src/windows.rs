//! Windows from Debian: building for it, and running what was built under Wine.
//!
//! No toolchain of rustup is needed: Debian's own has the source of the standard library, from which cargo builds the
//! one for Windows (`-Zbuild-std`), with what that needs vendored beside it. Wine 8 lacks `bcryptprimitives.dll`, so
//! what is to run there is built for Windows 7.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::shell::{self, Context as _, Failure, Result};

/// What the packages below install together, for those who lack them.
pub(crate) const PACKAGES: &str = "rustc-web cargo-web rust-web-src gcc-mingw-w64-x86-64 wine64 wine";

/// The source of the standard library, from Debian's rust-web-src.
const STD_SOURCE: &str = "/usr/lib/rustlib/src/rust/library/Cargo.lock";
/// No program runs longer under Wine; one that does has hung.
const PATIENCE: &str = "600";

/// Which Windows to build for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Target {
    /// Windows 7 and later, and Wine.
    Win7,
    /// Windows 10 and later.
    Win10,
}

impl Target {
    pub(crate) fn triple(self) -> &'static str {
        match self {
            Self::Win7 => "x86_64-win7-windows-gnu",
            Self::Win10 => "x86_64-pc-windows-gnu",
        }
    }

    /// Where cargo looks for the target's linker.
    fn linker_variable(self) -> String {
        let triple = self.triple().to_uppercase().replace('-', "_");
        format!("CARGO_TARGET_{triple}_LINKER")
    }
}

/// Debian's cargo and compiler with the standard library's source, and mingw's linker.
#[derive(Debug)]
pub(crate) struct Toolchain {
    cargo: &'static str,
    rustc: &'static str,
    /// The C compiler for Windows; it is also the linker.
    pub(crate) cc: PathBuf,
}

/// Something that cargo built and that can be run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Executable {
    /// The package's folder, in which its tests are run.
    pub(crate) package: PathBuf,
    pub(crate) path: PathBuf,
}

/// Where everything for Windows is built, and where Wine keeps its Windows.
pub(crate) fn target_dir() -> PathBuf {
    shell::target_dir().join("windows")
}

impl Toolchain {
    /// Finds it where Debian's packages put it, whatever comes first on PATH; else what is missing.
    pub(crate) fn find() -> std::result::Result<Self, String> {
        let (cargo, rustc) = ("/usr/bin/cargo", "/usr/bin/rustc");
        for file in [cargo, rustc, STD_SOURCE] {
            if !Path::new(file).is_file() {
                return Err(format!("no {file}: install Debian's {PACKAGES}"));
            }
        }
        let cc = shell::which("x86_64-w64-mingw32-gcc")
            .ok_or_else(|| format!("no x86_64-w64-mingw32-gcc: install Debian's {PACKAGES}"))?;
        Ok(Self { cargo, rustc, cc })
    }

    /// A run of cargo for Windows: `verb` and what follows it; cargo's own output is left to the terminal.
    ///
    /// Everything is built as for tests, so that it is built once: a standard library and all crates for a release take as
    /// long again.
    pub(crate) fn cargo(&self, verb: &str, target: Target) -> Command {
        let mut command = Command::new(self.cargo);
        command
            .current_dir(shell::root())
            .args([verb, "--locked", "--quiet", "--target", target.triple()])
            .arg(match verb {
                "test" => "-Zbuild-std=std,panic_abort,test",
                _ => "-Zbuild-std=std,panic_abort",
            })
            // a warning of ours fails the build, as clippy's do on Linux; clippy itself is not in Debian's toolchain
            .args(["-Zwarnings", "--config", "build.warnings=\"deny\""])
            .env("CARGO_TARGET_DIR", target_dir())
            // nobody debugs here: half the time to build, and programs that Wine loads in a tenth of it
            .env("CARGO_PROFILE_DEV_DEBUG", "0")
            .env("CARGO_INCREMENTAL", "0")
            .env("RUSTC", self.rustc)
            .env(target.linker_variable(), &self.cc)
            // what a toolchain must allow to let -Z options through; for these runs only
            .env("RUSTC_BOOTSTRAP", "1")
            .env_remove("CARGO")
            .env_remove("RUSTUP_TOOLCHAIN");
        command
    }

    /// Builds, and returns what can be run, in cargo's order.
    pub(crate) fn build(&self, command: &mut Command) -> Result<Vec<Executable>> {
        let line = shell::shown(command);
        let output = command
            .arg("--message-format=json-render-diagnostics")
            .stderr(Stdio::inherit())
            .output()
            .at(Path::new(self.cargo))?;
        if !output.status.success() {
            return Err(Failure(format!("{line}: {}", output.status)));
        }
        let text = String::from_utf8_lossy(&output.stdout);
        Ok(text.lines().filter_map(executable).collect())
    }

    /// Builds the command line; returns its path.
    pub(crate) fn polylink(&self, target: Target) -> Result<PathBuf> {
        let mut command = self.cargo("build", target);
        command.args(["--package", "polylink-cli"]);
        if target == Target::Win10 {
            // to see that it builds; nobody runs it
            command.args(["--config", "profile.dev.package.\"*\".opt-level=0"]);
        }
        let built = self.build(&mut command)?;
        let named = |found: &Executable| found.path.file_name() == Some(OsStr::new("polylink.exe"));
        match built.into_iter().find(named) {
            Some(found) => Ok(found.path),
            None => Err(Failure(format!(
                "{}: built no polylink.exe",
                shell::shown(&command)
            ))),
        }
    }
}

/// The executable that a line of cargo's JSON tells of.
fn executable(line: &str) -> Option<Executable> {
    let message: Value = serde_json::from_str(line).ok()?;
    let manifest = Path::new(message["manifest_path"].as_str()?);
    Some(Executable {
        package: manifest.parent()?.to_path_buf(),
        path: message["executable"].as_str()?.into(),
    })
}

/// Wine, with a Windows of its own.
#[derive(Debug)]
pub(crate) struct Wine {
    program: PathBuf,
    prefix: PathBuf,
}

impl Wine {
    /// Finds it; else what is missing.
    pub(crate) fn find() -> std::result::Result<Self, String> {
        let program =
            shell::which("wine").ok_or_else(|| format!("no `wine`: install Debian's {PACKAGES}"))?;
        Ok(Self {
            program,
            prefix: target_dir().join("wine"),
        })
    }

    /// Makes the Windows, where it is not there yet, so that the first program does not wait for it.
    pub(crate) fn start(&self) -> Result {
        fs::create_dir_all(&self.prefix).at(&self.prefix)?;
        if self.prefix.join("system.reg").is_file() {
            return Ok(());
        }
        let mut command = self.prepared(Command::new(&self.program));
        shell::output(command.args(["wineboot", "--init"])).map(drop)
    }

    /// A run of a program that is not started yet; `args` are the program's.
    pub(crate) fn command<S: AsRef<OsStr>>(
        &self,
        program: &Path,
        args: impl IntoIterator<Item = S>,
    ) -> Command {
        let mut command = self.prepared(Command::new("timeout"));
        command
            .args(["-k", "5", PATIENCE])
            .arg(&self.program)
            .arg(program)
            .args(args);
        command
    }

    fn prepared(&self, mut command: Command) -> Command {
        command
            .env("WINEPREFIX", &self.prefix)
            .env("WINEARCH", "win64")
            .env("WINEDEBUG", "-all")
            // neither .NET nor a browser is asked for, and nothing is fetched
            .env("WINEDLLOVERRIDES", "mscoree,mshtml=")
            // what only Wine does differently is forgiven under this
            .env("POLYLINK_UNDER_WINE", "1")
            // what differs is said, and not written beside the tests
            .env("INSTA_UPDATE", "no")
            .env_remove("DISPLAY")
            .stdin(Stdio::null());
        command
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn executables_are_read_from_what_cargo_says() {
        let line = r#"{"reason":"compiler-artifact","manifest_path":"/w/crates/a/Cargo.toml","executable":"/t/a.exe"}"#;
        let found = Executable {
            package: "/w/crates/a".into(),
            path: "/t/a.exe".into(),
        };
        assert_eq!(executable(line), Some(found));
        let library = line.replace(r#""/t/a.exe""#, "null");
        assert_eq!(executable(&library), None);
        assert_eq!(executable(r#"{"reason":"build-finished","success":true}"#), None);
    }
}
