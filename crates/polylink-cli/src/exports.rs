//! The files that packages ship, made from the description of the arguments.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::Command;
use clap_complete::Shell;

/// Manual pages, completions and the reference of all commands: path below `exports/`, and content.
#[must_use]
pub fn exports() -> Vec<(PathBuf, Vec<u8>)> {
    let mut files = manual_pages();
    files.extend(completions());
    files.push((PathBuf::from("cli.md"), reference().into_bytes()));
    files.sort();
    files
}

fn built() -> Command {
    let mut command = crate::command().term_width(100).disable_help_subcommand(true);
    command.build();
    command
}

/// One page for the program, one for each command, and one for each of what a command like `ntfs` has below it.
pub(crate) fn manual_pages() -> Vec<(PathBuf, Vec<u8>)> {
    let command = built();
    let mut pages = vec![("polylink".to_owned(), command.clone())];
    for sub in command.get_subcommands() {
        let name = format!("polylink-{}", sub.get_name());
        for below in sub.get_subcommands() {
            let name = format!("{name}-{}", below.get_name());
            pages.push((name.clone(), below.clone().display_name(name)));
        }
        pages.push((name.clone(), sub.clone().display_name(name)));
    }
    let page = |(name, command): (String, Command)| {
        let mut text = Vec::new();
        clap_mangen::Man::new(command)
            .manual("polylink")
            .render(&mut text)
            .ok()?;
        Some((PathBuf::from(format!("man/{name}.1")), text))
    };
    pages.into_iter().filter_map(page).collect()
}

fn completions() -> Vec<(PathBuf, Vec<u8>)> {
    [
        (Shell::Bash, "polylink.bash"),
        (Shell::Zsh, "_polylink"),
        (Shell::Fish, "polylink.fish"),
        (Shell::PowerShell, "_polylink.ps1"),
        (Shell::Elvish, "polylink.elv"),
    ]
    .into_iter()
    .map(|(shell, file)| (PathBuf::from("completions").join(file), completion(shell)))
    .collect()
}

/// The completions for one shell.
pub(crate) fn completion(shell: Shell) -> Vec<u8> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut crate::command(), "polylink", &mut text);
    text
}

fn reference() -> String {
    let mut command = built();
    let mut text = String::from(
        "# The command line\n\nThe long help of every command, as `polylink COMMAND --help` prints it. Made by `cargo xtask exports`.\n",
    );
    section(&mut text, "polylink", &mut command);
    for sub in command.get_subcommands_mut() {
        let name = format!("polylink {}", sub.get_name());
        section(&mut text, &name, sub);
        for below in sub.get_subcommands_mut() {
            let name = format!("{name} {}", below.get_name());
            section(&mut text, &name, below);
        }
    }
    text
}

fn section(text: &mut String, name: &str, command: &mut Command) {
    let help = command.render_long_help().to_string();
    // OK to ignore: writing to a string cannot fail
    let _ = write!(text, "\n## {name}\n\n```text\n");
    for line in help.lines() {
        let _ = writeln!(text, "{}", line.trim_end());
    }
    text.push_str("```\n");
}
