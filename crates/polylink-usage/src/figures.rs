//! The figures of a directory or a set, and what they can be sorted by.

/// What a directory, a file or a set of both comes to.
///
/// Names, files and the four byte figures are those of regular files; what directories themselves occupy stands
/// apart.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Figures {
    /// Names of files at or below.
    pub names: u64,
    /// Files with a name at or below, each counted once.
    pub files: u64,
    /// Length of the data, each name counted: what Explorer shows.
    pub logical_bytes: u64,
    /// Allocated bytes, each file counted once.
    pub disk_bytes: u64,
    /// Allocated bytes of the files all of whose names lie inside: what deleting this would free.
    pub exclusive_bytes: u64,
    /// Names of these files that lie beyond everything that was scanned.
    pub outside_names: u64,
    /// Directories, this one included.
    pub directories: u64,
    /// Allocated bytes of those directories.
    pub directory_bytes: u64,
    /// Names of symbolic links and special files.
    pub other: u64,
}

impl Figures {
    /// Allocated bytes of files that have names elsewhere too: disk − exclusive.
    #[must_use]
    pub fn shared_bytes(&self) -> u64 {
        self.disk_bytes.wrapping_sub(self.exclusive_bytes)
    }

    /// Adds what lies below. Files are added and taken back in turns, so the sums on the way may wrap; those of
    /// logical bytes only grow, and stop at the end of the numbers (sparse files can claim that much).
    pub(crate) fn add(&mut self, below: &Self) {
        self.names = self.names.wrapping_add(below.names);
        self.files = self.files.wrapping_add(below.files);
        self.logical_bytes = self.logical_bytes.saturating_add(below.logical_bytes);
        self.disk_bytes = self.disk_bytes.wrapping_add(below.disk_bytes);
        self.exclusive_bytes = self.exclusive_bytes.wrapping_add(below.exclusive_bytes);
        self.outside_names = self.outside_names.wrapping_add(below.outside_names);
        self.directories = self.directories.wrapping_add(below.directories);
        self.directory_bytes = self.directory_bytes.wrapping_add(below.directory_bytes);
        self.other = self.other.wrapping_add(below.other);
    }

    /// Counts a file that is met here.
    pub(crate) fn add_file(&mut self, allocated: u64, outside: u64) {
        self.files = self.files.wrapping_add(1);
        self.disk_bytes = self.disk_bytes.wrapping_add(allocated);
        self.outside_names = self.outside_names.wrapping_add(outside);
    }

    /// Takes a file back that comes up from two sides.
    pub(crate) fn take_file(&mut self, allocated: u64, outside: u64) {
        self.files = self.files.wrapping_sub(1);
        self.disk_bytes = self.disk_bytes.wrapping_sub(allocated);
        self.outside_names = self.outside_names.wrapping_sub(outside);
    }
}

/// What the rows of a report are sorted by: figures with the largest first, paths upwards. Equal ones stand by path.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum SortBy {
    /// By path.
    #[default]
    Path,
    /// By [`Figures::names`].
    Names,
    /// By [`Figures::files`].
    Files,
    /// By [`Figures::logical_bytes`].
    Logical,
    /// By [`Figures::disk_bytes`].
    Disk,
    /// By [`Figures::exclusive_bytes`].
    Exclusive,
    /// By [`Figures::shared_bytes`].
    Shared,
}

impl SortBy {
    /// The figure that counts; the same for all where it is the path.
    pub(crate) fn figure(self, figures: &Figures) -> u64 {
        match self {
            Self::Path => 0,
            Self::Names => figures.names,
            Self::Files => figures.files,
            Self::Logical => figures.logical_bytes,
            Self::Disk => figures.disk_bytes,
            Self::Exclusive => figures.exclusive_bytes,
            Self::Shared => figures.shared_bytes(),
        }
    }
}
