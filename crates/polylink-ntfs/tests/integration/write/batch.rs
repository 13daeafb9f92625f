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
