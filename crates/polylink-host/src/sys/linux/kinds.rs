//! What is known of each kind of file system, by its magic number (statfs(2), linux/magic.h).

use polylink_core::HardLinks;

use super::HostDir;
use crate::facts;

/// One kind of file system.
pub(super) struct FsKind {
    pub(super) name: &'static str,
    /// Whether `d_ino` of a directory entry is always the `st_ino` of the file. Overlayfs (whose lower and upper layers
    /// have numbers of their own), network and FUSE file systems give other ones, so only those that are known to be
    /// right are trusted.
    pub(super) dir_ids: bool,
    pub(super) link_limit: Option<u64>,
    pub(super) hard_links: HardLinks,
}

const fn kind(name: &'static str, dir_ids: bool, link_limit: Option<u64>, hard_links: HardLinks) -> FsKind {
    FsKind {
        name,
        dir_ids,
        link_limit,
        hard_links,
    }
}

/// The kind with this magic number, which is as wide as the processor's words.
pub(super) fn of(magic: impl Into<i64>) -> FsKind {
    use HardLinks::{No, Unknown, Yes};
    match magic.into() & 0xffff_ffff {
        // EXT4_LINK_MAX; the ext4 driver serves ext2 and ext3 with the same limit
        0xEF53 => kind("ext4", true, Some(65_000), Yes),
        // XFS_MAXLINK
        0x5846_5342 => kind("xfs", true, Some(0x7fff_ffff), Yes),
        // BTRFS_LINK_MAX
        0x9123_683E => kind("btrfs", true, Some(65_535), Yes),
        0x0102_1994 => kind("tmpfs", true, None, Yes),
        0x8584_58F6 => kind("ramfs", true, None, Yes),
        0xF2F5_2010 => kind("f2fs", true, None, Yes),
        0x794C_7630 => kind("overlay", false, None, Yes),
        0x4D44 => kind("vfat", false, Some(1), No),
        0x2011_BAB0 => kind("exfat", false, Some(1), No),
        0x6573_5546 => kind("fuse", false, None, Unknown),
        0x6969 => kind("nfs", false, None, Unknown),
        0xFF53_4D42 | 0xFE53_4D42 => kind("cifs", false, None, Unknown),
        0x0102_1997 => kind("9p", false, None, Unknown),
        0x2FC1_2FC1 => kind("zfs", false, None, Yes),
        0xCA45_1A4E => kind("bcachefs", false, None, Yes),
        // ntfs3's NTFS_LINK_MAX
        0x7366_746E => kind("ntfs3", false, Some(4_000), Yes),
        0x5346_544E => kind("ntfs", false, None, Unknown),
        0x7371_7368 => kind("squashfs", false, None, Yes),
        0xE0F5_E1E2 => kind("erofs", false, None, Yes),
        0x9660 => kind("iso9660", false, None, Unknown),
        0x3153_464A => kind("jfs", false, None, Yes),
        // measured on Linux 6.12, as are the next two
        0x3434 => kind("nilfs2", false, Some(32_000), Yes),
        0x1501_3346 => kind("udf", false, Some(65_535), Yes),
        0x4D5A => kind("minix", false, Some(65_530), Yes),
        0x2405_1905 => kind("ubifs", false, None, Yes),
        0xF15F => kind("ecryptfs", false, None, Unknown),
        _ => kind("unknown", false, None, Unknown),
    }
}

/// The name to show: of FUSE the subtype, of the unknown what the mount table says.
pub(super) fn display_name(kind: &FsKind, dir: &HostDir) -> String {
    match kind.name {
        "fuse" | "unknown" => facts::mount_of_fd(dir).map_or_else(|_| kind.name.to_owned(), |mount| mount.fs),
        name => name.to_owned(),
    }
}
