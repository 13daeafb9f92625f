//! What `FileFs` promises, on the host.

use polylink_testutil::files::{Ground, bytes, checks};

use crate::env::Folder;

#[test]
fn the_host_keeps_what_is_promised() {
    for (_, check) in checks() {
        let folder = Folder::new();
        check(&Ground {
            fs: &folder.fs,
            dir: folder.dir.clone(),
            make: &|name, len, content| std::fs::write(folder.path(name), bytes(len, content)).unwrap(),
        });
    }
}
