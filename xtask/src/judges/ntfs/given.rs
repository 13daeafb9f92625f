//! Sound volumes that others made (Windows, mkntfs of other days, syzkaller): the same comparison on each.

use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::super::lab::{Lab, ensure, needs};
use super::super::{Stop, Verdict};
use super::peers::{self, Differences, Names};
use super::{content, mount_by};
use crate::judges::order::say;
use crate::shell;

/// Archives below the folder of `POLYLINK_IMAGES` whose volumes are sound, and how many each holds. The others are
/// damaged on purpose, and what two programs make of damage is not to be the same.
const SOUND: [(&str, usize); 9] = [
    ("corrupted/check_only__1k_cluster_fsck_error__ntfs.img.tar.xz", 1),
    (
        "corrupted/check_only__block_overflow_hole_file__ntfs.img.tar.xz",
        1,
    ),
    ("corrupted/check_only__formatted_on_windows__ntfs.img.tar.xz", 1),
    (
        "corrupted/check_only__orphaned_inode_cant_repair__ntfs.img.tar.xz",
        1,
    ),
    ("corrupted/ntfs_default.img.tar.xz", 1),
    (
        "corrupted/generated_during_use__entry_length_corrupted__windows_repaired.img.tar.xz",
        1,
    ),
    (
        "corrupted/generated_during_use__lostfound_corrupted2__windows_repaired.img.tar.xz",
        1,
    ),
    (
        "corrupted/generated_during_use__lostfound_corrupted__windows_repaired.img.tar.xz",
        1,
    ),
    ("seeds.tar.xz", 34),
];

/// Volumes with more names or more content than that have a sample of their files compared: some hold terabytes of holes.
const MOST_NAMES: usize = 10_000;
const MOST_BYTES: u64 = 128 << 20;
/// The sample: as many files of up to so many bytes, from the first to the last. It is all of them on a small volume, file
/// by file, for `get -r` says of links to a path of another system that they were not copied.
const SAMPLE: usize = 200;
const SMALL: u64 = 4 << 20;

/// The smallest sector that The Sleuth Kit accepts.
const SLEUTH_KIT_SECTOR: u16 = 512;

pub(crate) fn given(lab: &Lab) -> Verdict {
    let Some(folder) = std::env::var_os("POLYLINK_IMAGES").map(PathBuf::from) else {
        // not everybody has them, and everything else is judged without
        say!("    POLYLINK_IMAGES names no folder with volumes of others: nothing is compared");
        return Ok(());
    };
    needs("tar", "tar")?;
    needs("xz", "xz-utils")?;
    for (archive, count) in SOUND {
        let unpacked = lab.folder("unpacked")?;
        let mut command = Command::new("tar");
        command
            .arg("-xJSf")
            .arg(folder.join(archive))
            .arg("-C")
            .arg(&unpacked);
        shell::output(&mut command)?;
        let images = images_below(&unpacked)?;
        ensure(images.len() == count, || {
            format!("{archive} holds {} volumes, not {count}", images.len())
        })?;
        say!("    {archive}: {count}");
        let mut found = Found::default();
        for image in images {
            let name = image.strip_prefix(&unpacked).unwrap_or(&image).to_string_lossy();
            found.look(lab, &image, &name).map_err(|stop| match stop {
                Stop::Failed(reason) => Stop::Failed(format!("  {archive}, {name}:\n{reason}")),
                skipped => skipped,
            })?;
        }
        found.close()?;
        fs::remove_dir_all(&unpacked)?;
    }
    Ok(())
}

fn images_below(folder: &Path) -> Verdict<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            found.extend(images_below(&entry.path())?);
        } else {
            found.push(entry.path());
        }
    }
    found.sort_by(|one, other| one.as_os_str().as_bytes().cmp(other.as_os_str().as_bytes()));
    Ok(found)
}

/// What came of the volumes of one archive.
#[derive(Default)]
struct Found {
    names: usize,
    ntfs_3g: Differences,
    /// Names of the volumes that The Sleuth Kit reads.
    sleuth_kit_names: usize,
    sleuth_kit: Differences,
    /// Volumes that it refuses, for a reason that is known.
    refused: usize,
    /// Files whose content is the same, and those that were left out.
    equal: usize,
    large: usize,
    links: usize,
    unsampled: usize,
}

impl Found {
    fn look(&mut self, lab: &Lab, image: &Path, name: &str) -> Verdict {
        let names = peers::ours(lab, image)?;
        let point = lab.path("given");
        mount_by(lab, "lowntfs-3g", image, &point, "ro")?;
        self.ntfs_3g.take(peers::from_ntfs_3g(&names, &point)?, name);
        self.names += names.len();
        let sum: u64 = names.values().map(|found| found.size).sum();
        if (SAMPLE..=MOST_NAMES).contains(&names.len()) && sum <= MOST_BYTES {
            content(lab, image, &point)?;
            self.equal += names.values().filter(|found| found.kind == "file").count();
        } else {
            self.some_content(lab, image, &point, &names)?;
        }
        lab.unmount(&point)?;
        if sector(image)? < SLEUTH_KIT_SECTOR {
            return match peers::fls(image) {
                Err(Stop::Failed(reason)) if reason.contains("invalid sector size") => {
                    self.refused += 1;
                    Ok(())
                }
                Err(other) => Err(other),
                Ok(_) => Err(Stop::Failed(
                    "  The Sleuth Kit reads sectors below 512 bytes now: compare these volumes too"
                        .to_owned(),
                )),
            };
        }
        self.sleuth_kit_names += names.len();
        let differences = peers::from_sleuth_kit(&names, &peers::fls(image)?, image)?;
        self.sleuth_kit.take(differences, name);
        Ok(())
    }

    /// The content of some of the files that are not large.
    fn some_content(&mut self, lab: &Lab, image: &Path, point: &Path, names: &Names) -> Verdict {
        let files = names.iter().filter(|(_, found)| found.kind == "file");
        let (small, large): (Vec<_>, Vec<_>) = files.partition(|(_, found)| found.size <= SMALL);
        let step = small.len().div_ceil(SAMPLE).max(1);
        let (mut equal, mut links) = (0, 0);
        for (path, _) in small.iter().step_by(step) {
            let there = point.join(path.strip_prefix("/").unwrap_or(path));
            // links of its own making lead out of the volume
            if !fs::symlink_metadata(&there)?.is_file() {
                links += 1;
                continue;
            }
            let theirs = fs::read(&there)?;
            let ours = peers::content(lab, image, path.as_os_str())?;
            ensure(ours == theirs, || {
                format!("the content of '{}' differs", path.display())
            })?;
            equal += 1;
        }
        self.equal += equal;
        self.links += links;
        self.unsampled += small.len() - equal - links;
        self.large += large.len();
        Ok(())
    }

    fn close(self) -> Verdict {
        // one that ntfs-3g refused would have ended the judge
        say!("    all mounted by lowntfs-3g");
        say!(
            "    content: {} files equal ntfs-3g's; left out were {} of more than 4 MiB, {} that are links to ntfs-3g, and {} \
             beside a sample",
            self.equal,
            self.large,
            self.links,
            self.unsampled
        );
        self.ntfs_3g.close("ntfs-3g", peers::BY_NTFS_3G, self.names)?;
        if self.refused > 0 {
            say!(
                "    The Sleuth Kit refuses {} volumes: it reads no sectors below 512 bytes",
                self.refused
            );
        }
        self.sleuth_kit
            .close("The Sleuth Kit", peers::BY_SLEUTH_KIT, self.sleuth_kit_names)
    }
}

/// The bytes of a sector, as the boot sector has them.
fn sector(image: &Path) -> Verdict<u16> {
    let mut bytes = [0; 2];
    let file = fs::File::open(image)?;
    std::os::unix::fs::FileExt::read_exact_at(&file, &mut bytes, 0x0B)?;
    Ok(u16::from_le_bytes(bytes))
}
