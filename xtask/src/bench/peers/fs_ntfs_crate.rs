//! Adds names to an NTFS image with the crate `rust-fs-ntfs`, until it refuses.
//!
//! `fs-ntfs-crate IMAGE create|link COUNT`: new files in the directory `/names`, or further names there for `/the file`.
//! Prints how many there are then and, where that is fewer than asked for, why.

use std::env;
use std::error::Error;
use std::path::Path;

use fs_ntfs::block_io::{BlockIo as _, PathIo};
use fs_ntfs::write::{create_file_io, link_io};

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = env::args().skip(1).collect();
    let [image, what, count] = args.as_slice() else {
        return Err("usage: fs-ntfs-crate IMAGE create|link COUNT".into());
    };
    let count: u32 = count.parse()?;
    // opened once for all of them
    let mut io = PathIo::open_rw(Path::new(image))?;
    let mut done = 0;
    let mut why = String::new();
    for index in 0..count {
        let name = format!("name {index:07}");
        let added = match what.as_str() {
            "create" => create_file_io(&mut io, "/names", &name).map(|_| ()),
            _ => link_io(&mut io, "/the file", "/names", &name),
        };
        if let Err(error) = added {
            why = format!("{error:?}");
            break;
        }
        done += 1;
    }
    io.sync()?;
    println!("{done}\n{why}");
    Ok(())
}
