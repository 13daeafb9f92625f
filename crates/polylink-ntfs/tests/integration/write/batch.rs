//! Operations that wait together for one commit.

use polylink_ntfs::Replace;

use super::{blank, find, issues, open, units};

#[test]
fn a_file_that_lost_a_name_leaves_its_entry_to_the_one_that_took_it() {
    let device = blank(16 << 20, 4096, 1024);
    let writer = open(&device);
    let root = writer.root().unwrap();
    let taker = writer.create_file(root, &units("taker")).unwrap();
    writer.write(taker, &[], 0, b"short").unwrap();
    writer.refresh(taker).unwrap();
    let loser = writer.create_file(root, &units("kept")).unwrap();
    writer.link(loser, root, &units("lost")).unwrap();
    writer.sync().unwrap();

    // until the commit the loser's record holds the name that leads to the taker
    writer
        .rename((root, &units("taker")), (root, &units("lost")), Replace::File)
        .unwrap();
    writer.write(loser, &[], 0, &[7; 3000]).unwrap();
    writer.refresh(loser).unwrap();
    assert_eq!(find(&writer, "lost"), Some(taker));
    writer.close().unwrap();

    assert_eq!(issues(&device), [""; 0]);
}

/// Until the commit the record of a file has the name that another file has taken: it is not one of its paths.
#[test]
fn a_name_that_another_file_took_is_a_path_of_that_one_only() {
    let device = blank(8 << 20, 4096, 1024);
    let writer = std::sync::Arc::new(open(&device));
    let root = writer.root().unwrap();
    let (old, new) = (units("old"), units("new"));
    let victim = writer.create_file(root, &old).unwrap();
    writer.link(victim, root, &units("other")).unwrap();
    let file = writer.create_file(root, &new).unwrap();
    writer.sync().unwrap();
    writer.rename((root, &new), (root, &old), Replace::File).unwrap();
    let fs = polylink_ntfs::VolumeFs::writing(writer.clone()).unwrap();
    for _ in 0..2 {
        assert_eq!(fs.paths_of(file).unwrap(), [std::path::Path::new("/old")]);
        assert_eq!(fs.paths_of(victim).unwrap(), [std::path::Path::new("/other")]);
        writer.sync().unwrap();
    }
    writer.close().unwrap();
}
