//! Whether a copy has the metadata of its original, as far as this user can give it.

use std::collections::BTreeMap;

use polylink_core::{Dir, FileFs, FsResult, Metadata};

/// Set-user-id and set-group-id, which a copy loses where it belongs to somebody else.
const SET_IDS: u32 = 0o6000;

/// What the user who makes the copies can give them.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Rights {
    /// Everything.
    All,
    /// Not the files of others, nor what is for the system only; this is his user id.
    Own(u32),
}

impl Rights {
    /// By the user's id; `None` where there are no such ids.
    pub(crate) fn of(user: Option<u32>) -> Self {
        match user {
            None | Some(0) => Self::All,
            Some(user) => Self::Own(user),
        }
    }

    /// Whether `copy` belongs to this user because he could not give it to the owner of the original.
    pub(crate) fn taken_over(self, original: Option<u32>, copy: Option<u32>) -> bool {
        matches!(self, Self::Own(user) if copy == Some(user) && original != copy)
    }

    /// Whether permissions agree.
    pub(crate) fn modes_agree(self, original: Option<u32>, copy: Option<u32>, taken_over: bool) -> bool {
        if taken_over {
            original.map(|mode| mode & !SET_IDS) == copy.map(|mode| mode & !SET_IDS)
        } else {
            original == copy
        }
    }

    /// Whether a copy's metadata is that of its original but for what could not be given; times of reading and creation
    /// do not count.
    pub(crate) fn agree(self, original: &Metadata, copy: &Metadata) -> bool {
        let taken_over = self.taken_over(original.owner, copy.owner);
        original.modified == copy.modified
            && original.attributes == copy.attributes
            && self.modes_agree(original.mode, copy.mode, taken_over)
            && (taken_over || (original.owner == copy.owner && original.group == copy.group))
            && self.same_extended(&original.extended, &copy.extended)
    }

    fn same_extended(self, a: &BTreeMap<Vec<u8>, Vec<u8>>, b: &BTreeMap<Vec<u8>, Vec<u8>>) -> bool {
        let counts = |(name, _): &(&Vec<u8>, &Vec<u8>)| self.can_give(name);
        a.iter().filter(counts).eq(b.iter().filter(counts))
    }

    /// Labels of the system (`security.selinux`, `security.ima`) are given by its own rules: they tell nothing.
    fn can_give(self, name: &[u8]) -> bool {
        match self {
            Self::All => !name.starts_with(b"security.") || name == b"security.capability",
            Self::Own(_) => !name.starts_with(b"security.") && !name.starts_with(b"trusted."),
        }
    }
}

/// Lets its owner change a directory whose permissions forbid it. They are to be set again where the directory stays.
pub(crate) fn unlock(fs: &dyn FileFs, dir: &Dir, rights: Rights) -> FsResult<()> {
    let Rights::Own(user) = rights else { return Ok(()) };
    let stat = fs.stat_dir(dir)?;
    if let Some(mode) = stat.mode.filter(|mode| mode & 0o300 != 0o300)
        && stat.owner == Some(user)
    {
        let mut metadata = fs.dir_metadata(dir)?;
        metadata.mode = Some(mode | 0o700);
        fs.set_dir_metadata(dir, &metadata)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metadata(owner: u32, mode: u32) -> Metadata {
        Metadata {
            owner: Some(owner),
            group: Some(owner),
            mode: Some(mode),
            ..Metadata::default()
        }
    }

    #[test]
    fn what_could_not_be_given_makes_no_difference() {
        let own = Rights::of(Some(1000));
        assert!(own.agree(&metadata(0, 0o4755), &metadata(1000, 0o755)));
        assert!(!Rights::All.agree(&metadata(0, 0o4755), &metadata(1000, 0o755)));
        assert!(!own.agree(&metadata(1000, 0o4755), &metadata(1000, 0o755)));
        assert!(!own.agree(&metadata(1000, 0o755), &metadata(0, 0o755)));
        assert!(own.agree(&metadata(1000, 0o755), &metadata(1000, 0o755)));
    }

    #[test]
    fn labels_of_the_system_tell_nothing() {
        let plain = metadata(0, 0o644);
        for (name, counts) in [
            ("user.note", true),
            ("system.posix_acl_access", true),
            ("security.selinux", false),
            ("security.capability", true),
        ] {
            let mut labelled = plain.clone();
            labelled.extended.insert(name.into(), b"x".to_vec());
            assert_eq!(Rights::All.agree(&plain, &labelled), !counts, "{name}");
        }
    }
}
