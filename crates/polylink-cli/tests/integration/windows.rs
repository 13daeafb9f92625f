//! What is different on Windows: the doors, the codes, names of UTF-16 units, and rules of the file system.
//!
//! They run under Wine as well. What only a real Windows confirms is left out unless asked for:
//! `cargo test -p polylink-cli --test integration real_windows -- --ignored`.

use std::ffi::OsString;
use std::fs;
use std::os::windows::ffi::OsStringExt as _;
use std::os::windows::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::env::{TestEnv, file};

/// Whether this is Wine; its judge says so.
fn under_wine() -> bool {
    std::env::var_os("POLYLINK_UNDER_WINE").is_some()
}

fn env() -> TestEnv {
    let env = TestEnv::new();
    env.write(r"a\x", "one");
    env.write(r"b\y", "two");
    env
}

/// Runs what must be refused; returns the error of its document.
fn refused(env: &TestEnv, args: &[&str]) -> Value {
    let run = env.run(args.iter().chain(&["--json"]));
    assert_eq!((run.code, run.stdout.as_str()), (1, ""), "{args:?}: {run}");
    let document: Value = serde_json::from_str(&run.stderr).unwrap();
    assert_eq!(document["command"], args[0]);
    document["error"].clone()
}

/// Fails unless it is refused with this code of Win32 and, by the native door, this status.
fn refused_for(env: &TestEnv, args: &[&str], win32: u32, status: &str) -> Value {
    let error = refused(env, args);
    assert_eq!(error["win32"], win32, "{args:?}: {error}");
    assert!(error["errno"].is_null(), "{args:?}: {error}");
    if args.contains(&"native") {
        assert_eq!(error["status"], status, "{args:?}: {error}");
        assert_eq!(error["symbol"], status, "{args:?}: {error}");
    } else {
        assert!(error["status"].is_null(), "{args:?}: {error}");
        assert!(error["symbol"].as_str().unwrap().starts_with("ERROR_"), "{error}");
    }
    error
}

fn hint(error: &Value) -> &str {
    error["hints"][0].as_str().unwrap_or_default()
}

fn set_read_only(path: &Path, read_only: bool) {
    let mut permissions = fs::metadata(path).unwrap().permissions();
    permissions.set_readonly(read_only);
    fs::set_permissions(path, permissions).unwrap();
}

#[test]
fn a_file_gets_a_name_by_each_door() {
    let env = env();
    for (links, door) in (2..).zip(["auto", "create", "native"]) {
        let document = env.json(["link", "--via", door, r"a\x", door]);
        assert_eq!(
            (&document["done"], &document["link_count"]),
            (&"linked".into(), &links.into())
        );
        assert_eq!(file(&env.path(door)), file(&env.path(r"a\x")));
    }
    assert_eq!(
        env.ok(["link", r"a\x", "b"]).stdout,
        "linked 'b/x' to 'a/x', which has 5 names\n"
    );
}

#[test]
fn the_move_door_links_or_leaves_everything_as_it_was() {
    let env = env();
    let before = file(&env.path(r"a\x"));
    if under_wine() {
        let error = refused(&env, &["link", "--via", "move", r"a\x", r"a\z"]);
        assert_eq!(
            (&error["status"], &error["win32"]),
            (&"STATUS_NOT_SUPPORTED".into(), &50.into())
        );
        assert!(hint(&error).starts_with("MoveFileEx renames here"), "{error}");
        assert_eq!(file(&env.path(r"a\x")), before);
        assert_eq!(env.names_in("a"), ["x"]);
    } else {
        env.ok(["link", "--via", "move", r"a\x", r"a\z"]);
        assert_eq!(file(&env.path(r"a\x")), (before.0, 2));
        assert_eq!(env.names_in("a"), ["x", "z"]);
    }
}

#[test]
fn each_refusal_has_the_code_that_windows_gives_it() {
    let env = env();
    env.dir("d");
    for door in ["create", "native"] {
        for (existing, new, win32, status) in [
            (r"a\x", r"b\y", 183, "STATUS_OBJECT_NAME_COLLISION"),
            (r"a\x", r"B\Y", 183, "STATUS_OBJECT_NAME_COLLISION"),
            (r"a\nothing", "z", 2, "STATUS_OBJECT_NAME_NOT_FOUND"),
            (r"nowhere\x", "z", 3, "STATUS_OBJECT_PATH_NOT_FOUND"),
            (r"a\x", r"nowhere\z", 3, "STATUS_OBJECT_PATH_NOT_FOUND"),
            ("d", "z", 5, "STATUS_FILE_IS_A_DIRECTORY"),
        ] {
            refused_for(&env, &["link", "--via", door, existing, new], win32, status);
        }
    }
    assert_eq!(env.names_in("."), ["a", "b", "d"]);
    assert_eq!(env.read(r"b\y"), "two");
}

#[test]
fn refusals_say_what_to_do() {
    let env = env();
    env.dir("d");
    let error = refused(&env, &["link", "d", "z"]);
    assert!(hint(&error).contains("link the files in it"), "{error}");
    let error = refused(&env, &["link", r"a\x", r"b\y"]);
    assert!(
        hint(&error).starts_with("'--replace' puts the link in its place"),
        "{error}"
    );
    let error = refused(&env, &["link", r"a\z", "z"]);
    assert_eq!(hint(&error), "'a' has no 'z'");
    let run = env.run(["link", "--via", "native", r"a\x", r"b\y"]);
    assert!(
        run.stderr
            .contains("\ncaused by: the name is taken (STATUS_OBJECT_NAME_COLLISION 0xC0000035)\n"),
        "{run}"
    );
    let run = env.run(["link", "--via", "create", r"a\x", r"b\y"]);
    assert!(
        run.stderr
            .contains("\ncaused by: the name is taken (ERROR_ALREADY_EXISTS)\n"),
        "{run}"
    );
    let run = env.run(["usage", "nothing"]);
    assert_eq!(run.code, 2);
    assert!(!run.stderr.contains("ENOENT"), "{run}");
}

#[test]
fn a_name_is_replaced_by_the_native_door_only() {
    let env = env();
    env.link("b/y", "b/keep");
    let run = env.run(["link", "--via", "create", "--replace", r"a\x", r"b\y"]);
    assert_eq!(run.code, 2);
    assert!(run.stderr.contains("'--via native' can"), "{run}");
    let dry = env.ok(["link", "-n", "--replace", r"a\x", r"b\y"]);
    assert!(dry.stdout.contains("would keep 1 other name"), "{dry}");
    assert_eq!(env.read(r"b\y"), "two");
    let document = env.json(["link", "--replace", r"a\x", r"b\y"]);
    assert_eq!(
        (&document["done"], &document["link_count"]),
        (&"replaced".into(), &2.into())
    );
    assert_eq!(document["replaced"]["links_left"], 1);
    assert_eq!(file(&env.path(r"b\y")), file(&env.path(r"a\x")));
    assert_eq!(env.read(r"b\keep"), "two");
    assert_eq!(env.names_in("b"), ["keep", "y"], "no temporary name stays");
    assert_eq!(env.json(["link", "--replace", r"a\x", r"b\y"])["done"], "nothing");
}

#[test]
fn a_read_only_victim_stays_and_is_named() {
    let env = env();
    set_read_only(&env.path(r"b\y"), true);
    for dry in [&["-n"][..], &[]] {
        let args = [&["link", "--replace", r"a\x", r"b\y"], dry].concat();
        let error = refused(&env, &args);
        assert_eq!(
            (&error["status"], &error["win32"]),
            (&"STATUS_ACCESS_DENIED".into(), &5.into())
        );
        assert!(hint(&error).starts_with("'b/y' is read-only"), "{error}");
    }
    assert_eq!(env.read(r"b\y"), "two");
    set_read_only(&env.path(r"b\y"), false);
    env.ok(["link", "--replace", r"a\x", r"b\y"]);
}

#[test]
fn a_victim_that_is_open_and_not_shared_stays_and_is_named() {
    let env = env();
    let open = fs::OpenOptions::new()
        .read(true)
        .share_mode(0)
        .open(env.path(r"b\y"))
        .unwrap();
    let error = refused(&env, &["link", "--replace", r"a\x", r"b\y"]);
    // replaced as POSIX does it the first, else the second
    let either = [("STATUS_SHARING_VIOLATION", 32), ("STATUS_ACCESS_DENIED", 5)];
    assert!(
        either
            .iter()
            .any(|(status, win32)| error["status"] == *status && error["win32"] == *win32),
        "{error}"
    );
    assert!(hint(&error).starts_with("'b/y' is open in "), "{error}");
    drop(open);
    env.ok(["link", "--replace", r"a\x", r"b\y"]);
}

#[test]
fn a_directory_is_not_replaced() {
    let env = env();
    env.dir(r"b\x");
    for dry in [&["-n"][..], &[]] {
        let args = [&["link", "--replace", r"a\x", "b"], dry].concat();
        let error = refused(&env, &args);
        assert_eq!(
            (&error["status"], &error["win32"]),
            (&"STATUS_ACCESS_DENIED".into(), &5.into())
        );
        assert!(hint(&error).contains("is a directory"), "{error}");
    }
}

#[test]
fn a_dry_run_refuses_what_the_run_refuses() {
    let env = env();
    env.dir("d");
    for (existing, new) in [
        (r"a\x", r"b\y"),
        (r"a\nothing", "z"),
        (r"a\x", r"nowhere\z"),
        ("d", "z"),
    ] {
        let args = ["link", "--via", "native", existing, new];
        let (real, dry) = (
            refused(&env, &args),
            refused(&env, &[&args[..], &["-n"]].concat()),
        );
        assert_eq!(dry["status"], real["status"], "{existing} {new}");
        assert_eq!(dry["hints"], real["hints"], "{existing} {new}");
    }
    env.ok(["link", "-n", r"a\x", "z"]);
    assert_eq!(env.names_in("."), ["a", "b", "d"]);
}

#[test]
fn names_that_cannot_exist_are_refused() {
    let env = env();
    for name in ["a<b", "a|b", "a?b", "a*b", "a\"b"] {
        let error = refused(&env, &["link", "--via", "native", "-n", r"a\x", name]);
        assert_eq!(error["win32"], 123, "{name}: {error}");
        assert!(hint(&error).contains("a name cannot hold"), "{error}");
    }
}

/// A name with half a character: legal, and no text.
fn half() -> OsString {
    OsString::from_wide(&[0x68, 0xD83D, 0x2E, 0x78])
}

#[test]
fn names_that_are_no_text_are_kept_as_they_are() {
    let env = TestEnv::new();
    let odd = half();
    let source = PathBuf::from("photos").join(&odd);
    fs::create_dir(env.path("photos")).unwrap();
    // not every Wine can hold such a name, for Linux cannot
    if fs::write(env.path(&source), "odd").is_err() {
        assert!(under_wine(), "Windows holds such names");
        return;
    }
    env.ok(["flat", "photos", "all"]);
    assert_eq!(fs::read(env.path("all").join(&odd)).unwrap(), b"odd");
    assert_eq!(file(&env.path("all").join(&odd)), file(&env.path(&source)));
    let command = [
        "names".as_ref(),
        "--in".as_ref(),
        "all".as_ref(),
        source.as_os_str(),
    ];
    let document = env.json(command);
    assert_eq!(document["names"][0]["hex"], "0061006c006c005c0068d83d002e0078");
    let shown = env.run(command);
    assert!(
        shown.stdout.contains(r"h\xed\xa0\xbd.x") || shown.stdout.contains("h/xed/xa0/xbd.x"),
        "{shown}"
    );
}

#[test]
fn paths_may_be_longer_than_260_units() {
    let env = env();
    let long = (0..6).fold(PathBuf::from("deep"), |path, _| path.join("d".repeat(60)));
    let verbatim = PathBuf::from(format!(r"\\?\{}", env.path("").join(&long).display()));
    fs::create_dir_all(&verbatim).unwrap();
    let new = long.join("z");
    let new = new.to_str().unwrap();
    for door in ["create", "native"] {
        env.ok(["link", "--via", door, r"a\x", &format!("{new}-{door}")]);
        assert_eq!(
            file(&verbatim.join(format!("z-{door}"))).0,
            file(&env.path(r"a\x")).0
        );
    }
    let document = env.json(["flat", "deep", "all"]);
    assert_eq!((&document["linked"], &document["failed"]), (&1.into(), &0.into()));
    let document = env.json(["usage", "deep"]);
    assert_eq!(
        (&document["complete"], &document["total"]["names"]),
        (&true.into(), &2.into())
    );
    fs::remove_dir_all(PathBuf::from(format!(r"\\?\{}", env.path("deep").display()))).unwrap();
}

#[test]
fn names_that_differ_in_case_only_both_get_a_name() {
    let env = TestEnv::new();
    env.write("photos/1/img.jpg", "first");
    env.write("photos/2/IMG.JPG", "second");
    env.write("photos/3/ÄRGER.txt", "third");
    env.write("photos/4/ärger.txt", "fourth");
    let document = env.json(["flat", "photos", "all"]);
    assert_eq!((&document["linked"], &document["failed"]), (&4.into(), &0.into()));
    assert_eq!(
        env.names_in("all"),
        ["IMG (2).JPG", "img.jpg", "ÄRGER.txt", "ärger (4).txt"]
    );
    let document = env.json(["flat", "photos", "all"]);
    assert_eq!((&document["linked"], &document["kept"]), (&0.into(), &4.into()));
}

#[test]
fn patterns_are_written_as_paths_are() {
    let env = TestEnv::photos();
    env.write("photos/2006/11/UPPER.JPG", "loud");
    env.write("photos/2006/11/notes.txt", "text");
    let document = env.json(["flat", "-n", "--include", r"2006\**\*.jpg", "photos", "all"]);
    assert_eq!(document["linked"], 2);
    let run = env.run(["flat", "-n", "--name", "{parent}: {name}", "photos", "all"]);
    assert_eq!(run.code, 2);
    assert!(run.stderr.contains("a name cannot contain"), "{run}");
}

#[test]
fn a_ledger_that_another_process_works_with_is_busy() {
    let env = TestEnv::photos();
    env.ok(["flat", "photos", "all"]);
    // this process is the other one
    let held = polylink_view::open_ledger(&env.path("all"), None, false).unwrap();
    for dry in [&["-n"][..], &[]] {
        let run = env.run([&["flat"][..], dry, &["photos", "all"]].concat());
        assert_eq!(run.code, 2, "{run}");
        assert!(
            run.stderr.contains("another polylink works on this view"),
            "{run}"
        );
    }
    drop(held);
    assert_eq!(env.json(["flat", "photos", "all"])["kept"], 3);
}

#[test]
fn doctor_tells_of_windows_and_not_of_unix() {
    let env = TestEnv::photos();
    env.dir("all");
    let run = env.ok(["doctor", "photos", "all"]);
    assert!(
        run.stdout
            .starts_with("link from source to view: works\nlink from view to source: works\n"),
        "{run}"
    );
    assert!(run.stdout.contains("255 UTF-16 units"), "{run}");
    assert!(!run.stdout.contains("protected_hardlinks"), "{run}");
    let document = env.json(["doctor", "-n", "photos", "all"]);
    assert_eq!(document["limits"][0]["name_unit"], "UTF-16 units");
    assert!(document["protected_hardlinks"].is_null());
    assert_eq!(env.names_in("."), ["all", "photos"]);
}

#[test]
#[ignore = "only a real Windows confirms it"]
fn real_windows_a_file_has_1024_names_and_no_more() {
    let env = env();
    let links = env.json(["cost", "--links", "2000", "--files", "1", "."]);
    assert_eq!(links["link_limit"], 1024);
    assert_eq!(links["experiments"][0]["links"], 1023);
    for number in 2..=1024 {
        fs::hard_link(env.path(r"a\x"), env.path(format!(r"a\{number}"))).unwrap();
    }
    for door in ["create", "native", "move"] {
        let error = refused(&env, &["link", "--via", door, r"a\x", "z"]);
        assert_eq!(error["win32"], 1142, "{door}: {error}");
        assert!(
            hint(&error).contains("1,024 names for one file; 'a/x' has 1,024"),
            "{error}"
        );
    }
    let error = refused(&env, &["link", "--replace", r"a\x", r"b\y"]);
    assert_eq!(
        error["status"], "STATUS_TOO_MANY_LINKS",
        "a replacing link is counted first"
    );
}

#[test]
#[ignore = "only a real Windows confirms it"]
fn real_windows_the_move_door_links_and_replaces() {
    let env = env();
    env.ok(["link", "--via", "move", r"a\x", "z"]);
    env.ok(["link", "--via", "move", "--replace", r"a\x", r"b\y"]);
    assert_eq!(file(&env.path(r"b\y")), file(&env.path(r"a\x")));
    assert_eq!(file(&env.path("z")).1, 3);
    env.dir("d");
    let error = refused(&env, &["link", "--via", "move", "d", "e"]);
    assert_eq!(error["win32"], 5, "{error}");
}

#[test]
#[ignore = "only a real Windows confirms it"]
fn real_windows_names_are_told_without_a_search() {
    let env = env();
    env.ok(["link", r"a\x", r"b\z"]);
    let document = env.json(["names", r"b\z"]);
    assert_eq!(document["complete"], true);
    assert!(document["searched"].is_null(), "{document}");
    assert_eq!(document["names"], serde_json::json!(["ROOT/a/x", "ROOT/b/z"]));
    let document = env.json(["names", r"b\z", "--in", "b"]);
    assert_eq!(document["names"], serde_json::json!(["b/z"]));
}

#[test]
#[ignore = "only a real Windows confirms it"]
fn real_windows_an_open_victim_that_is_shared_is_replaced() {
    use std::io::Read as _;
    let env = env();
    let mut open = fs::File::open(env.path(r"b\y")).unwrap();
    env.ok(["link", "--replace", r"a\x", r"b\y"]);
    assert_eq!(env.read(r"b\y"), "one");
    let mut text = String::new();
    open.read_to_string(&mut text).unwrap();
    assert_eq!(text, "two", "the handle keeps its file");
}

#[test]
#[ignore = "only a real Windows confirms it, and with the right to make symbolic links"]
fn real_windows_a_symbolic_link_is_linked_itself() {
    let env = env();
    std::os::windows::fs::symlink_file("x", env.path(r"a\s")).unwrap();
    for door in ["create", "native", "move"] {
        env.ok(["link", "--via", door, r"a\s", door]);
        assert!(env.path(door).is_symlink(), "{door}");
    }
    env.ok(["link", "--follow", r"a\s", "target"]);
    assert_eq!(file(&env.path("target")), file(&env.path(r"a\x")));
}

#[test]
#[ignore = "only a real Windows confirms it"]
fn real_windows_the_short_name_of_another_file_is_explained() {
    let env = env();
    env.write("a name that is longer than 8.3.txt", "long");
    // a volume may make no short names
    if !env.path("ANAMET~1.TXT").exists() {
        return;
    }
    let error = refused(&env, &["link", r"a\x", "ANAMET~1.TXT"]);
    assert_eq!(error["win32"], 183);
    assert!(
        hint(&error).contains("is the short (8.3) name of 'a name that is longer"),
        "{error}"
    );
}

#[test]
#[ignore = "only a real Windows confirms it"]
fn real_windows_a_directory_source_with_a_missing_parent_is_refused_for_one_of_both() {
    let env = env();
    let error = refused(&env, &["link", "--via", "native", "a", r"nowhere\z"]);
    let either = ["STATUS_OBJECT_PATH_NOT_FOUND", "STATUS_FILE_IS_A_DIRECTORY"];
    assert!(either.iter().any(|status| error["status"] == *status), "{error}");
}
