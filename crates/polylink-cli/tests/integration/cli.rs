//! Command lines that make no sense, closed pipes, colour, help.

use std::process::{Command, Stdio};

use crate::env::{BINARY, TestEnv};

#[test]
fn a_misspelt_command_is_corrected() {
    let run = TestEnv::new().run(["lnk", "a", "b"]);
    insta::assert_snapshot!(run.failure(), @r"
    exit code 2
    error: unrecognized subcommand 'lnk'
    hint: a similar subcommand exists: 'link'
    hint: usage: polylink [OPTIONS] <COMMAND>
    hint: '--help' explains the options and gives examples
    ");
}

#[test]
fn a_misspelt_option_is_corrected() {
    let run = TestEnv::new().run(["link", "--repalce", "a", "b"]);
    insta::assert_snapshot!(run.failure(), @r"
    exit code 2
    error: unexpected argument '--repalce' found
    hint: a similar argument exists: '--replace'
    hint: usage: polylink link --replace <EXISTING> <NEW>
    hint: '--help' explains the options and gives examples
    ");
}

#[test]
fn a_value_that_does_not_exist_is_refused_with_those_that_do() {
    let run = TestEnv::new().run(["completions", "bsh"]);
    insta::assert_snapshot!(run.failure(), @r"
    exit code 2
    error: invalid value 'bsh' for '<SHELL>' [possible values: bash, elvish, fish, powershell, zsh]
    hint: a similar value exists: 'bash'
    hint: '--help' explains the options and gives examples
    ");
}

#[test]
fn missing_operands_are_named() {
    let run = TestEnv::new().run(["link", "a"]);
    assert_eq!(run.code, 2);
    assert!(
        run.stderr
            .starts_with("error: the following required arguments were not provided: <NEW>\n"),
        "{run}"
    );
    let run = TestEnv::new().run(["flat", "a"]);
    assert_eq!(run.code, 2);
    assert!(run.stderr.starts_with("error: the view is missing\n"), "{run}");
}

#[test]
fn no_command_shows_the_help_and_is_an_error() {
    let run = TestEnv::new().run::<&str>([]);
    assert_eq!(run.code, 2);
    assert!(
        run.stderr.contains("Usage: polylink [OPTIONS] <COMMAND>"),
        "{run}"
    );
}

#[test]
fn a_wrong_command_line_with_json_gives_a_document() {
    let run = TestEnv::new().run(["--json", "lnk"]);
    assert_eq!(run.code, 2);
    let document: serde_json::Value = serde_json::from_str(&run.stderr).unwrap();
    assert_eq!(document["schema"], 1);
    assert_eq!(document["error"]["message"], "unrecognized subcommand 'lnk'");
    assert!(document["error"]["errno"].is_null());
}

#[test]
fn help_and_version_go_to_the_standard_output() {
    let env = TestEnv::new();
    assert!(env.ok(["--version"]).stdout.starts_with("polylink "));
    for command in polylink_cli::command().get_subcommands() {
        let run = env.ok([command.get_name(), "--help"]);
        assert!(run.stdout.contains("Examples:"), "{run}");
        assert!(run.stderr.is_empty(), "{run}");
    }
}

#[test]
fn a_reader_who_leaves_is_no_error() {
    let env = TestEnv::new();
    // few files with long names, so that the output is long: making files takes long on some systems
    let name = "a file with a long name ".repeat(6);
    for number in 0..400 {
        env.write(format!("photos/{number}/{name}{number}.jpg"), "");
    }
    for args in [
        &["flat", "-n", "photos", "view"][..],
        &["usage", "-d", "2", "photos"],
        &["--help"],
    ] {
        let mut child = env
            .command(args)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let run = env.finish(child.wait_with_output().unwrap());
        assert_eq!(run.code, 0, "{args:?}: {run}");
        assert!(!run.stderr.contains("error"), "{run}");
    }
    let script = format!("set -o pipefail; '{BINARY}' flat -n photos view | head -1");
    let mut bash = Command::new("bash");
    bash.args(["-c", &script]);
    match env.prepared(bash, [""; 0]).output() {
        Ok(output) => {
            let run = env.finish(output);
            assert_eq!((run.code, run.stdout.lines().count()), (0, 1), "{run}");
        }
        Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::NotFound),
    }
}

#[test]
fn colour_is_for_terminals_and_for_those_who_ask() {
    let env = TestEnv::photos();
    assert!(!env.ok(["usage", "photos"]).stdout.contains('\u{1b}'));
    assert!(
        env.ok(["usage", "--color", "always", "photos"])
            .stdout
            .contains('\u{1b}')
    );
    let error = env.run(["--color", "always", "names", "nothing"]);
    assert!(
        error.stderr.starts_with("\u{1b}[1;31merror:\u{1b}[0m "),
        "{error:?}"
    );
}

#[test]
fn progress_is_shown_where_it_is_asked_for() {
    let env = TestEnv::photos();
    let run = env.ok(["--progress", "always", "usage", "photos"]);
    assert!(run.stderr.contains("reading directories: "), "{run}");
    for args in [
        &["usage", "photos"][..],
        &["-q", "--progress", "always", "usage", "photos"],
    ] {
        let run = env.ok(args);
        assert!(!run.stderr.contains("reading directories"), "{run}");
    }
}

#[test]
fn quiet_leaves_the_results() {
    let env = TestEnv::photos();
    let run = env.ok(["-q", "usage", "photos"]);
    assert!(run.stdout.contains("total") && run.stderr.is_empty(), "{run}");
}

#[test]
fn quiet_says_nothing_of_what_was_done_and_all_of_what_a_dry_run_finds() {
    let env = TestEnv::photos();
    env.write("two/a", "the same");
    env.write("two/b", "the same");
    let image = env.path("disk.img");
    let image = image.to_str().unwrap();
    let commands: [&[&str]; 13] = [
        &["flat", "photos", "all"],
        &["clone", "photos", "clone"],
        &["dedupe", "--ignore", "times", "two"],
        &["split", "two/a"],
        &["link", "two/a", "two/c"],
        &["unlink", "two/c"],
        &["ntfs", "format", image, "--size", "4M"],
        &["ntfs", "mkdir", image, "/d"],
        &["ntfs", "put", image, "two/a", "/d/a"],
        &["ntfs", "mv", image, "/d/a", "/d/b"],
        &["ntfs", "rm", image, "/d/b"],
        &["ntfs", "check", "--fix", image],
        &["man", "two"],
    ];
    for command in commands {
        if command[1] != "check" {
            let dry = env.ok(command.iter().chain(&["-q", "-n"]));
            assert!(!dry.stdout.is_empty(), "{dry}");
        }
        let run = env.ok(["-q"].iter().chain(command));
        assert_eq!((&*run.stdout, &*run.stderr), ("", ""), "{run}");
    }
    env.ok(["ntfs", "put", "-q", image, "two/a", "/a"]);
    env.dir("out");
    let run = env.ok(["-q", "ntfs", "get", image, "/a", "out"]);
    assert_eq!((&*run.stdout, &*run.stderr), ("", ""), "{run}");
    // a script needs the name of what was made
    let run = env.ok(["-q", "snapshot", "--name", "one", "photos", "store"]);
    assert!(
        run.stdout.lines().count() == 1
            && run.stdout.ends_with(
                "one
"
            ),
        "{run}"
    );
    // what did not work is told all the same
    let run = env.run(["-q", "unlink", "--yes", "two/b", "two/nothing"]);
    assert!(run.code != 0 && !run.stderr.is_empty(), "{run}");
}

#[test]
fn completions_and_manual_pages_are_made() {
    let env = TestEnv::new();
    assert!(env.ok(["completions", "fish"]).stdout.contains("polylink"));
    env.dir("man");
    // one for each command, and for each command below another
    let pages: usize = polylink_cli::command()
        .get_subcommands()
        .map(|command| 1 + command.get_subcommands().count())
        .sum();
    assert_eq!(env.ok(["man", "-n", "man"]).stdout.lines().count(), 1 + pages);
    assert!(env.names_in("man").is_empty());
    env.ok(["man", "man"]);
    assert!(env.read("man/polylink-flat.1").contains(".TH polylink-flat 1"));
    assert_eq!(env.run(["man", "nowhere"]).code, 2);
}
