//! NTFS volumes that polylink made: what mkntfs' own tools, a mount and The Sleuth Kit say of them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::lab::{Lab, args, ensure, needs};
use super::{Stop, Verdict, truth};
use crate::shell;

/// Bytes of the image, a sector, a cluster and a record.
const SHAPES: [(u64, u32, u32, u32); 8] = [
    (1 << 20, 512, 4096, 1024),
    // no multiple of anything
    (100_012_345, 512, 4096, 1024),
    (40_000_512, 512, 512, 1024),
    (64 << 20, 512, 4096, 4096),
    (64 << 20, 4096, 4096, 4096),
    (200 << 20, 512, 65_536, 1024),
    (600 << 20, 512, 2 << 20, 1024),
    (2 << 40, 512, 4096, 1024),
];

/// The Sleuth Kit takes no clusters above this.
const SLEUTHKIT: u32 = 64 << 10;

fn made(lab: &Lab, (size, sector, cluster, record): (u64, u32, u32, u32)) -> Verdict<PathBuf> {
    let image = lab.path(&format!("made-{size}-{sector}-{cluster}-{record}.img"));
    let number = |option: &str, value: u64| format!("--{option}={value}");
    let run = lab.polylink(args([
        &"ntfs",
        &"format",
        &image,
        &number("size", size),
        &number("sector", u64::from(sector)),
        &number("cluster", u64::from(cluster)),
        &number("record", u64::from(record)),
        &"--label=judge",
        &"--serial=1234567890ABCDEF",
    ]))?;
    run.exits(&[0])?.says(&["judge", "1234567890ABCDEF"])?;
    ensure(fs::metadata(&image)?.len() == size, || {
        "the image has another size".to_owned()
    })?;
    Ok(image)
}

/// Our own audit: not even a note.
fn is_clean(lab: &Lab, image: &Path) -> Verdict {
    let json = lab
        .polylink(args([&"ntfs", &"check", &"--json", &image]))?
        .exits(&[0])?
        .json()?;
    ensure(
        json["clean"] == true && json["issues"].as_array().is_some_and(Vec::is_empty),
        || format!("the audit found {}", json["issues"]),
    )
}

/// Runs a tool on the image, which must be content, and answers what it said.
fn asks(program: &str, package: &str, options: &[&str], image: &Path) -> Verdict<String> {
    let program = needs(program, package)?;
    let mut command = Command::new(program);
    let output = shell::output(command.args(options).arg(image))?;
    Ok(String::from_utf8_lossy(&output).into_owned())
}

fn says(program: &str, text: &str, words: &[&str]) -> Verdict {
    for word in words {
        ensure(text.contains(word), || {
            format!("{program} does not say '{word}':\n{text}")
        })?;
    }
    Ok(())
}

/// The tools that come with ntfs-3g.
fn tools(image: &Path) -> Verdict {
    let fix = asks("ntfsfix", "ntfs-3g", &["-n"], image)?;
    says("ntfsfix", &fix, &["processed successfully"])?;
    let info = asks("ntfsinfo", "ntfs-3g", &["-m"], image)?;
    says("ntfsinfo", &info, &["judge", "Version: 3.1"])?;
    // every descriptor and every key of $Secure
    let security = asks("ntfssecaudit", "ntfs-3g", &["-a"], image)?;
    says("ntfssecaudit", &security, &["No errors were found"])
}

fn sleuthkit(image: &Path, cluster: u32) -> Verdict {
    if cluster > SLEUTHKIT {
        return Ok(());
    }
    let stat = asks("fsstat", "sleuthkit", &["-f", "ntfs"], image)?;
    let size = format!("Cluster Size: {cluster}");
    says("fsstat", &stat, &["judge", "1234567890ABCDEF", &*size])?;
    let names = asks("fls", "sleuthkit", &["-r", "-p", "-u", "-f", "ntfs"], image)?;
    let wanted = [
        "$AttrDef",
        "$BadClus",
        "$BadClus:$Bad",
        "$Bitmap",
        "$Boot",
        "$LogFile",
        "$MFT",
        "$MFTMirr",
        "$Secure:$SDS",
        "$UpCase",
        "$Volume",
        "$Extend/$ObjId:$O",
        "$Extend/$Quota:$Q",
        "$Extend/$Reparse:$R",
    ];
    says("fls", &names, &wanted)
}

/// What is written to a volume.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Load {
    OneFile,
    Tree,
}

/// ntfs-3g mounts the volume and fills it; afterwards everybody is still content, and all of it is there.
fn filled(lab: &Lab, image: &Path, load: Load) -> Verdict {
    if !rustix::process::geteuid().is_root() {
        return Err(Stop::Skipped("needs root to mount file systems".to_owned()));
    }
    if !Path::new("/dev/fuse").exists() {
        return Err(Stop::Skipped("no /dev/fuse".to_owned()));
    }
    let source = lab.folder("source")?;
    if source.read_dir()?.next().is_none() {
        truth::year_tree(&source.join("years"), 100)?;
        fs::write(source.join("large"), vec![0x5A; 1 << 20])?;
        fs::write(source.join("small"), "in its record")?;
    }
    let chosen = match load {
        Load::OneFile => source.join("small"),
        Load::Tree => source.join("."),
    };
    let point = lab.folder("mounted")?;
    let mut command = Command::new(needs("ntfs-3g", "ntfs-3g")?);
    shell::output(command.arg(image).arg(&point))?;
    lab.remember(&point);
    let mut copy = Command::new("cp");
    shell::output(copy.arg("-r").arg(chosen).arg(&point))?;
    fs::hard_link(point.join("small"), point.join("a second name"))?;
    lab.unmount(&point)?;
    tools(image)?;
    is_clean(lab, image)?;
    let out = lab.path("copied");
    fs::create_dir(&out)?;
    lab.polylink(args([&"ntfs", &"get", &"-r", &image, &"/", &out]))?
        .exits(&[0])?;
    fs::remove_file(out.join("a second name"))?;
    if load == Load::Tree {
        let mut diff = Command::new("diff");
        shell::output(diff.arg("-r").arg(&source).arg(&out))?;
    }
    ensure(fs::read(out.join("small"))? == b"in its record", || {
        "another content".to_owned()
    })?;
    fs::remove_dir_all(&out)?;
    Ok(())
}

/// A block device: named, refused while it is mounted, overwritten, and with its own sectors.
fn device(lab: &Lab) -> Verdict {
    let image = lab.formatted(
        "device",
        50,
        "e2fsprogs",
        &["mkfs.ext4", "-q", "-F", "-b", "4096"],
    )?;
    let losetup = needs("losetup", "util-linux")?;
    let mut command = Command::new(&losetup);
    let output = shell::output(command.args(["-f", "--show", "-b", "4096"]).arg(&image))?;
    let device = PathBuf::from(String::from_utf8_lossy(&output).trim());
    let verdict = on_device(lab, &device);
    let mut command = Command::new(losetup);
    shell::output(command.arg("-d").arg(&device))?;
    verdict
}

fn on_device(lab: &Lab, device: &Path) -> Verdict {
    let plain = args([&"ntfs", &"format", &device]);
    let forced = args([&"ntfs", &"format", &"--force", &"--label=judge", &device]);
    lab.polylink(plain)?
        .exits(&[2])?
        .says(&["it holds an ext2, ext3 or ext4 file system", "--force"])?;
    let point = lab.folder("holder")?;
    lab.mount(&[device.as_os_str()], &point)?;
    lab.polylink(forced.clone())?
        .exits(&[2])?
        .says(&["EBUSY", "it is mounted"])?;
    lab.unmount(&point)?;
    lab.polylink(forced)?.exits(&[0])?.says(&[
        "sector   4,096 bytes",
        "it held an ext2, ext3 or ext4 file system",
    ])?;
    is_clean(lab, device)?;
    tools(device)?;
    let found = asks("blkid", "util-linux", &["-p"], device)?;
    says("blkid", &found, &["TYPE=\"ntfs\"", "LABEL=\"judge\""])
}

/// Each shape of volume that `ntfs format` makes.
pub(crate) fn format(lab: &Lab) -> Verdict {
    for shape in SHAPES {
        let (size, _, cluster, _) = shape;
        let image = made(lab, shape)?;
        is_clean(lab, &image)?;
        tools(&image)?;
        sleuthkit(&image, cluster)?;
        filled(
            lab,
            &image,
            if size < 16 << 20 {
                Load::OneFile
            } else {
                Load::Tree
            },
        )?;
        fs::remove_file(&image)?;
    }
    device(lab)
}
