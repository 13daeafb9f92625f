//! `link`, `flat`, `names` and `usage` on a volume that nothing has mounted.

use serde_json::json;

use super::{is_clean, listed, photos};

#[test]
fn a_name_is_added_by_every_door_alike() {
    let env = photos();
    insta::assert_snapshot!(env.ok(["link", "--image", "disk.img", "/photos/2006/11/a.jpg", "/x.jpg"]), @r"
    exit code 0
    linked '/x.jpg' to '/photos/2006/11/a.jpg', which has 2 names
    ");
    env.ok([
        "link",
        "--image",
        "disk.img",
        "--via",
        "native",
        "/photos/2006/11/a.jpg",
        "/photos",
    ]);
    env.ok(["link", "--image", "disk.img", "--via", "move", "/x.jpg", "/y.jpg"]);
    let names = env.ok(["names", "--image", "disk.img", "/X.JPG"]).stdout;
    assert_eq!(names, "/photos/2006/11/a.jpg\n/photos/a.jpg\n/x.jpg\n/y.jpg\n");
    is_clean(&env);
}

#[test]
fn what_a_link_is_refused_for() {
    let env = photos();
    let link = |args: &[&str]| {
        env.run([&["link", "--image", "disk.img"], args].concat())
            .failure()
    };
    insta::assert_snapshot!(link(&["/photos/b.jpg", "/photos/2007/02/a.jpg"]), @r"
    exit code 1
    error: cannot link '/photos/b.jpg' to '/photos/2007/02/a.jpg'
    caused by: the name is taken (STATUS_OBJECT_NAME_COLLISION 0xC0000035)
    hint: --replace lets the new name take the place of what is there
    ");
    insta::assert_snapshot!(link(&["/photos/2007", "/x"]), @r"
    exit code 1
    error: cannot link '/photos/2007' to '/x'
    caused by: the file is a directory (STATUS_FILE_IS_A_DIRECTORY 0xC00000BA)
    hint: directories have one name each
    ");
    insta::assert_snapshot!(link(&["/nothing", "/x"]), @r"
    exit code 1
    error: cannot link '/nothing' to '/x'
    caused by: there is no such name (STATUS_OBJECT_NAME_NOT_FOUND 0xC0000034)
    hint: 'polylink ntfs ls' shows what is there; paths begin at the root of the volume
    ");
    // on Windows the tests write every backslash as a slash
    if cfg!(unix) {
        insta::assert_snapshot!(link(&["/photos/b.jpg", "/x:y"]), @r#"
        exit code 1
        error: cannot link '/photos/b.jpg' to '/x:y'
        caused by: the name cannot exist (STATUS_OBJECT_NAME_INVALID 0xC0000033)
        hint: names on NTFS have 1 to 255 UTF-16 units, and none of " * / : < > ? \ | or control characters
        "#);
    }
    insta::assert_snapshot!(link(&["--max-links", "3", "/photos/b.jpg", "/x"]), @r"
    exit code 1
    error: cannot link '/photos/b.jpg' to '/x'
    caused by: the file has as many names as it can have (STATUS_TOO_MANY_LINKS 0xC0000265)
    hint: 1,024 names are all that Windows makes; --max-links raises the limit for volumes that other drivers share
    ");
    insta::assert_snapshot!(link(&["--follow", "/photos/b.jpg", "/x"]), @r"
    exit code 2
    error: symbolic links are not followed inside a volume
    hint: 'polylink ntfs record' shows where one leads
    ");
    is_clean(&env);
}

#[test]
fn a_name_is_replaced_without_a_gap() {
    let env = photos();
    let replace = [
        "link",
        "--image",
        "disk.img",
        "--replace",
        "/photos/b.jpg",
        "/photos/2007/02/a.jpg",
    ];
    let dry = [&replace[..], &["-n"]].concat();
    insta::assert_snapshot!(env.ok(dry), @r"
    exit code 0
    would replace '/photos/2007/02/a.jpg' by a link to '/photos/b.jpg'
    the file it names now has no other name: its data would go
    ");
    assert_eq!(
        env.ok(["ntfs", "cat", "disk.img", "/photos/2007/02/a.jpg"])
            .stdout,
        "second"
    );
    insta::assert_snapshot!(env.ok(replace), @r"
    exit code 0
    replaced '/photos/2007/02/a.jpg' by a link to '/photos/b.jpg', which has 4 names
    the file it named had no other name: its data is gone
    ");
    insta::assert_snapshot!(env.ok(replace), @r"
    exit code 0
    '/photos/2007/02/a.jpg' is a name of '/photos/b.jpg' already
    ");
    assert_eq!(
        env.ok(["ntfs", "cat", "disk.img", "/photos/2007/02/a.jpg"])
            .stdout,
        "third"
    );
    is_clean(&env);
}

#[test]
fn a_view_is_made_and_kept_in_step_inside_a_volume() {
    let env = photos();
    let flat = ["flat", "--image", "disk.img", "/photos", "/all"];
    let dry = env.ok([&flat[..], &["-n"]].concat());
    assert!(dry.stdout.contains("a (2007-02).jpg"), "{dry}");
    assert_eq!(env.names_in("."), ["disk.img", "photos"]);
    let document = env.json(flat);
    assert_eq!((&document["linked"], &document["failed"]), (&json!(3), &json!(0)));
    assert_eq!(
        env.names_in("."),
        [".disk.img.all.polylink", "disk.img", "photos"]
    );
    assert_eq!(
        env.ok(["ntfs", "ls", "disk.img", "/all"]).stdout,
        "a (2007-02).jpg\na.jpg\nb.jpg\n"
    );
    is_clean(&env);
    // nothing to do
    let document = env.json(flat);
    assert_eq!((&document["linked"], &document["kept"]), (&json!(0), &json!(3)));
    // one goes for good, one came, and one is saved by rename
    env.ok(["ntfs", "rm", "disk.img", "/photos/2006/11/a.jpg"]);
    env.write("new.jpg", "new");
    env.ok(["ntfs", "put", "disk.img", "new.jpg", "/photos/2006/11"]);
    env.write("saved", "saved");
    env.ok(["ntfs", "put", "disk.img", "saved", "/photos/2007/02/a.jpg.new"]);
    let (from, to) = ("/photos/2007/02/a.jpg.new", "/photos/2007/02/a.jpg");
    env.ok(["ntfs", "mv", "--replace", "disk.img", from, to]);
    let document = env.json(["flat", "--image", "disk.img", "/PHOTOS", "/All"]);
    assert_eq!(
        (
            &document["linked"],
            &document["relinked"],
            &document["superseded"],
            &document["kept"]
        ),
        (&json!(1), &json!(1), &json!(1), &json!(1)),
        "{document}"
    );
    assert_eq!(env.ok(["ntfs", "cat", "disk.img", "/all/a.jpg"]).stdout, "first");
    is_clean(&env);
    assert_eq!(env.names_in(".").len(), 5, "one view, one ledger");
}

#[test]
fn views_of_one_name_have_a_ledger_each() {
    let env = photos();
    env.ok(["ntfs", "mkdir", "disk.img", "/a"]);
    env.ok(["flat", "--image", "disk.img", "/photos/2006", "/flat"]);
    env.ok(["flat", "--image", "disk.img", "/photos/2007", "/a/flat"]);
    assert_eq!(
        env.names_in("."),
        [
            ".disk.img.a%2Fflat.polylink",
            ".disk.img.flat.polylink",
            "disk.img",
            "photos"
        ]
    );
    assert_eq!(
        listed(&env).iter().filter(|line| line.contains("/flat/")).count(),
        6
    );
}

#[test]
fn what_a_view_is_refused_for() {
    let env = photos();
    let flat = |args: &[&str]| {
        env.run([&["flat", "--image", "disk.img"], args].concat())
            .failure()
    };
    insta::assert_snapshot!(flat(&["/nothing", "/all"]), @r"
    exit code 2
    error: cannot read '/nothing'
    caused by: there is no such name (STATUS_OBJECT_NAME_NOT_FOUND 0xC0000034)
    hint: 'polylink ntfs ls' shows what is there; paths begin at the root of the volume
    ");
    insta::assert_snapshot!(flat(&["/photos", "/photos/b.jpg"]), @r"
    exit code 2
    error: '/photos/b.jpg' is not a directory
    hint: give a directory that is free for this, or a name that is not taken
    ");
    insta::assert_snapshot!(flat(&["/photos", "/nowhere/all"]), @r"
    exit code 2
    error: cannot read '/nowhere'
    caused by: there is no such name (STATUS_OBJECT_NAME_NOT_FOUND 0xC0000034)
    hint: 'polylink ntfs ls' shows what is there; paths begin at the root of the volume
    ");
    env.ok(["flat", "--image", "disk.img", "/photos/2006", "/all"]);
    insta::assert_snapshot!(flat(&["/all", "/photos"]), @r"
    exit code 2
    error: '/all' is a view, and '/photos' is not: the arguments are the other way round
    hint: what exists comes first, the view last: polylink flat SOURCE... VIEW
    hint: for a view of a view, give a directory that is empty or not there yet
    ");
    assert_eq!(
        env.names_in("."),
        [".disk.img.all.polylink", "disk.img", "photos"]
    );
}

#[test]
fn usage_counts_each_file_of_a_view_once() {
    let env = photos();
    env.ok(["flat", "--image", "disk.img", "/photos", "/all"]);
    let document = env.json(["usage", "--image", "disk.img", "/all", "/photos"]);
    let total = &document["total"];
    assert_eq!(
        (&total["names"], &total["files"]),
        (&json!(8), &json!(3)),
        "{document}"
    );
    assert_eq!(
        env.ok(["names", "--image", "disk.img", "/all/b.jpg"]).stdout,
        "/all/b.jpg\n/photos/2006/best.jpg\n/photos/2007/02/b.jpg\n/photos/b.jpg\n"
    );
}
