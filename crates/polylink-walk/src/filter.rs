//! Which files a job takes: `--include` and `--exclude`.

use std::error::Error;
use std::fmt;

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

/// A pattern that cannot be understood.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BadGlob {
    /// The pattern.
    pub glob: String,
    /// What is wrong with it.
    pub why: String,
}

impl fmt::Display for BadGlob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the pattern '{}' cannot be understood: {}",
            self.glob, self.why
        )
    }
}

impl Error for BadGlob {}

/// Patterns as gitignore and rsync users expect them: without a slash a pattern is matched against each name of the
/// path, with one against the whole path below the source. `*` does not match a slash, `**` does.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    include: Option<Patterns>,
    exclude: Option<Patterns>,
}

/// Whether a pattern tells capital letters from small ones.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Case {
    /// It does, as on Unix.
    Matters,
    /// It does not, as users of Windows expect.
    Ignored,
}

#[derive(Clone, Debug)]
struct Patterns {
    names: GlobSet,
    paths: GlobSet,
}

impl Filter {
    /// Takes what matches one of `include` (everything where that is empty) and none of `exclude`.
    ///
    /// # Errors
    ///
    /// [`BadGlob`] for a pattern that cannot be understood.
    pub fn new<S: AsRef<str>>(include: &[S], exclude: &[S]) -> Result<Self, BadGlob> {
        Self::with_case(include, exclude, Case::Matters)
    }

    /// The same, and says whether a capital letter is another letter.
    ///
    /// # Errors
    ///
    /// As [`Filter::new`].
    pub fn with_case<S: AsRef<str>>(include: &[S], exclude: &[S], case: Case) -> Result<Self, BadGlob> {
        Ok(Self {
            include: Patterns::new(include, case)?,
            exclude: Patterns::new(exclude, case)?,
        })
    }

    /// Whether everything goes in.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.include.is_none() && self.exclude.is_none()
    }

    /// Whether the directory at `path` (below its source, bytes with slashes) is left out with all that is in it. Its
    /// parents are asked about first.
    #[must_use]
    pub fn leaves_out_directory(&self, path: &[u8]) -> bool {
        self.exclude
            .as_ref()
            .is_some_and(|patterns| patterns.matches(path))
    }

    /// Whether the file at `path`, whose directory is not left out, goes in.
    #[must_use]
    pub fn takes_file(&self, path: &[u8]) -> bool {
        self.include
            .as_ref()
            .is_none_or(|patterns| patterns.matches(path))
            && self
                .exclude
                .as_ref()
                .is_none_or(|patterns| !patterns.matches(path))
    }
}

impl Patterns {
    fn new<S: AsRef<str>>(globs: &[S], case: Case) -> Result<Option<Self>, BadGlob> {
        if globs.is_empty() {
            return Ok(None);
        }
        let (mut names, mut paths) = (GlobSetBuilder::new(), GlobSetBuilder::new());
        for glob in globs {
            let glob = glob.as_ref();
            let pattern = glob.trim_start_matches('/').trim_end_matches('/');
            let built = GlobBuilder::new(pattern)
                .literal_separator(true)
                .backslash_escape(true)
                .case_insensitive(case == Case::Ignored)
                .build()
                .map_err(|error| BadGlob {
                    glob: glob.to_owned(),
                    why: error.kind().to_string(),
                })?;
            if glob.trim_end_matches('/').contains('/') {
                paths.add(built);
            } else {
                names.add(built);
            }
        }
        let build = |builder: &GlobSetBuilder| {
            builder.build().map_err(|error| BadGlob {
                glob: error.glob().unwrap_or_default().to_owned(),
                why: error.kind().to_string(),
            })
        };
        Ok(Some(Self {
            names: build(&names)?,
            paths: build(&paths)?,
        }))
    }

    fn matches(&self, path: &[u8]) -> bool {
        let name = path.rsplit(|&byte| byte == b'/').next().unwrap_or(path);
        matches(&self.names, name) || matches(&self.paths, path)
    }
}

/// Globs are matched against text; what is not text is matched with its odd bytes replaced.
fn matches(set: &GlobSet, bytes: &[u8]) -> bool {
    !set.is_empty() && set.is_match(String::from_utf8_lossy(bytes).as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_match_anywhere_and_paths_from_the_source() {
        let filter = Filter::new(&["*.jpg", "raw/**"], &["cache", "/2007/02/*.tmp.jpg", "thumbs/"]).unwrap();
        assert!(filter.takes_file(b"2007/02/a.jpg"));
        assert!(filter.takes_file(b"raw/x/y.cr2"));
        assert!(!filter.takes_file(b"2007/02/a.png"));
        assert!(!filter.takes_file(b"2007/02/a.tmp.jpg"));
        assert!(filter.takes_file(b"2007/03/a.tmp.jpg"));
        assert!(filter.leaves_out_directory(b"2007/cache"));
        assert!(filter.leaves_out_directory(b"2007/thumbs"));
        assert!(!filter.leaves_out_directory(b"2007"));
        assert!(Filter::new(&["a[", "b"], &[]).is_err());
        assert!(!filter.takes_file(b"a.JPG"));
        let filter = Filter::with_case(&["*.jpg"], &["2007/**"], Case::Ignored).unwrap();
        assert!(filter.takes_file(b"2006/a.JPG") && !filter.takes_file(b"2007/a.jpg"));
    }
}
