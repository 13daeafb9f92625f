//! What is odd about a file system although it makes links.

use polylink_core::shown;
use polylink_host::facts::Mount;

/// Kinds of file systems whose files are on another machine, as mount tables name them.
const NETWORK: [&str; 20] = [
    "9p",
    "acfs",
    "afs",
    "beegfs",
    "ceph",
    "cifs",
    "coda",
    "davfs",
    "fuse.curlftpfs",
    "fuse.davfs2",
    "fuse.glusterfs",
    "fuse.rclone",
    "fuse.s3fs",
    "fuse.sshfs",
    "lustre",
    "ncpfs",
    "nfs",
    "nfs4",
    "smb3",
    "smbfs",
];

/// Mount options that say who owns the files of a file system that does not know it itself (mount(8), of FAT and NTFS).
const MADE_UP: [&str; 5] = ["uid=", "gid=", "umask=", "fmask=", "dmask="];
/// Options under which every file seems to belong to whoever looks (mount(8) of macOS).
const NO_OWNER: [&str; 2] = ["noowner", "noowners"];
/// Kinds whose owners are really those of the options above; of others `uid=` is that of the root directory or of the
/// user who mounted.
const WITHOUT_OWNERS: [&str; 8] = [
    "vfat", "msdos", "exfat", "ntfs", "ntfs3", "fuseblk", "hfs", "hfsplus",
];

/// What a person should know of the file system of this kind, mounted so.
pub(super) fn on(kind: &str, mount: Option<&Mount>) -> Vec<String> {
    let fs = mount.map_or(kind, |mount| mount.fs.as_str());
    let point = mount.map_or_else(String::new, |mount| format!(" on '{}'", shown(&mount.point)));
    let options = mount.map_or("", |mount| mount.options.as_str());
    let mut remarks = Vec::new();
    if is_network(fs) || options.split(',').any(|option| option == "remote") {
        remarks.push(format!(
            "{fs}{point} is on another machine: link counts and file ids are what the server tells, names that others make \
             show up later, and nothing tells when they do; the server itself is faster and surer"
        ));
    }
    if fs == "overlay" {
        remarks.push(format!(
            "{fs}{point} lies in layers: the first link to a file of a lower layer copies the file into the upper one, and its \
             file id may change by that; files that were linked below before may seem to be several"
        ));
    }
    if let Some(option) = made_up(fs, options) {
        remarks.push(format!(
            "{fs}{point} does not keep owners and permissions, the mount makes them up ('{option}'): what is said of \
             them here is true of all its files alike, and whom they belong to elsewhere is not known"
        ));
    }
    remarks
}

fn is_network(fs: &str) -> bool {
    NETWORK.contains(&fs)
}

/// The option by which owners are made up.
fn made_up<'a>(fs: &str, options: &'a str) -> Option<&'a str> {
    let plain = fs.strip_prefix("fuse.").unwrap_or(fs);
    let ownerless = WITHOUT_OWNERS.contains(&plain) || matches!(plain, "fusefat" | "ntfs-3g" | "exfat-fuse");
    options.split(',').find(|option| {
        NO_OWNER.contains(option) || ownerless && MADE_UP.iter().any(|start| option.starts_with(start))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mount(fs: &str, options: &str) -> Mount {
        Mount {
            point: "/mnt".into(),
            fs: fs.to_owned(),
            root: "/".into(),
            source: "x".to_owned(),
            options: options.to_owned(),
        }
    }

    fn remarks(fs: &str, options: &str) -> Vec<String> {
        on("fuse", Some(&mount(fs, options)))
    }

    #[test]
    fn plain_file_systems_are_not_remarked_upon() {
        for fs in ["ext4", "xfs", "btrfs", "tmpfs", "fuse.mergerfs", "zfs"] {
            assert_eq!(remarks(fs, "rw,relatime"), [""; 0], "{fs}");
        }
        // tmpfs has owners of its own, the option is for its root; that of FUSE is whoever mounted
        assert_eq!(remarks("tmpfs", "rw,uid=1000,gid=1000"), [""; 0]);
        assert_eq!(remarks("fuse.bindfs", "rw,user_id=0,group_id=0"), [""; 0]);
        assert_eq!(on("ext4", None), [""; 0]);
    }

    #[test]
    fn each_oddity_is_told_with_its_mount() {
        for (fs, options, words) in [
            ("nfs4", "rw,vers=4.2", "nfs4 on '/mnt' is on another machine"),
            ("fuse.sshfs", "rw", "fuse.sshfs on '/mnt' is on another machine"),
            ("NTFS", "rw,remote", "NTFS on '/mnt' is on another machine"),
            ("overlay", "rw,lowerdir=/a", "overlay on '/mnt' lies in layers"),
            ("vfat", "rw,uid=1000,fmask=0022", "('uid=1000')"),
            ("fuse.ntfs-3g", "rw,umask=0", "('umask=0')"),
            ("apfs", "rw,noowners", "('noowners')"),
        ] {
            let found = remarks(fs, options);
            assert!(found.len() == 1 && found[0].contains(words), "{fs}: {found:?}");
        }
    }
}
