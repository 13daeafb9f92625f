//! Names that are not text, steer terminals, or are as long as can be.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use crate::env::TestEnv;

const ODD: [&[u8]; 5] = [
    b"new\nline.jpg",
    b"\x1b[31mred.jpg",
    b"not \xff text.jpg",
    b"-n",
    "\u{202e}gpj.exe".as_bytes(),
];

fn env() -> TestEnv {
    let env = TestEnv::new();
    for (number, name) in ODD.into_iter().enumerate() {
        env.write(
            Path::new(&format!("photos/{number}")).join(OsStr::from_bytes(name)),
            name,
        );
    }
    env
}

/// Nothing but text, tabs and line feeds may reach a terminal.
fn harmless(text: &str) {
    assert!(
        text.chars()
            .all(|c| c == '\n' || !(c.is_control() || c == '\u{202e}')),
        "{text:?}"
    );
}

#[test]
fn a_view_keeps_them_and_the_screen_shows_them_escaped() {
    let env = env();
    let dry = env.ok(["flat", "-n", "photos", "all"]);
    harmless(&dry.stdout);
    for text in [
        "new\\nline.jpg",
        "\\u{1b}[31mred.jpg",
        "not \\xff text.jpg",
        "\\u{202e}gpj.exe",
    ] {
        assert!(dry.stdout.contains(text), "{text}: {dry}");
    }
    env.ok(["flat", "photos", "all"]);
    for name in ODD {
        let path = env.path("all").join(OsStr::from_bytes(name));
        assert_eq!(std::fs::read(path).unwrap(), name);
    }
    let again = env.json(["flat", "photos", "all"]);
    assert_eq!((&again["kept"], &again["linked"]), (&5.into(), &0.into()));
    harmless(&env.ok(["usage", "-d", "9", "photos", "all"]).stdout);
}

#[test]
fn in_documents_what_is_not_text_is_hex() {
    let env = env();
    let document = env.json(["flat", "-n", "photos", "all"]);
    let names: Vec<&serde_json::Value> = document["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| &step["name"])
        .collect();
    assert!(
        names.contains(&&serde_json::json!({"hex": "6e6f7420ff20746578742e6a7067"})),
        "{names:?}"
    );
    assert!(names.contains(&&serde_json::json!("new\nline.jpg")), "{names:?}");
    let odd = Path::new("photos/2").join(OsStr::from_bytes(ODD[2]));
    let document = env.json([
        OsStr::new("names"),
        odd.as_os_str(),
        OsStr::new("--in"),
        OsStr::new("photos"),
    ]);
    assert_eq!(
        document["names"][0]["hex"],
        "70686f746f732f322f6e6f7420ff20746578742e6a7067"
    );
}

#[test]
fn errors_show_them_escaped() {
    let env = TestEnv::new();
    let run = env.run([OsStr::new("link"), OsStr::from_bytes(b"a\n\xff"), OsStr::new("b")]);
    insta::assert_snapshot!(run.failure(), @r"
    exit code 1
    error: cannot link 'a\n\xff' to 'b'
    caused by: there is no such name (ENOENT)
    hint: this directory has no 'a\n\xff'
    ");
    let run = env.run([OsStr::new("names"), OsStr::from_bytes(b"\x1b[2Ja")]);
    harmless(&run.stderr);
}

#[test]
fn the_longest_names_collide_and_keep_their_extension() {
    let env = TestEnv::new();
    let long = format!("{}.jpg", "n".repeat(251));
    env.write(format!("photos/2006/{long}"), "one");
    env.write(format!("photos/2007/{long}"), "two");
    env.ok(["flat", "photos", "all"]);
    let names = env.names_in("all");
    assert_eq!(names.len(), 2);
    assert!(
        names
            .iter()
            .all(|name| name.len() <= 255 && name.ends_with(".jpg")),
        "{names:?}"
    );
    assert_eq!(env.json(["flat", "photos", "all"])["kept"], 2);
}

#[test]
fn names_for_programs_end_with_a_zero_byte_and_are_as_they_are() {
    let env = env();
    let odd = Path::new("photos/2").join(OsStr::from_bytes(ODD[2]));
    let args = [
        OsStr::new("names"),
        OsStr::new("-0"),
        odd.as_os_str(),
        OsStr::new("--in"),
        OsStr::new("photos"),
    ];
    let output = env.command(args).output().unwrap();
    assert_eq!(output.stdout, [odd.as_os_str().as_bytes(), b"\0"].concat());
}

#[test]
fn operands_that_look_like_options_follow_two_dashes() {
    let env = env();
    env.ok(["link", "--", "photos/3/-n", "-x"]);
    assert_eq!(env.read("-x"), "-n");
}
