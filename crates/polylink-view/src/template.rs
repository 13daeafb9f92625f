//! How view names are formed: `--name TEMPLATE`, and what happens when a name is taken.

use std::borrow::Cow;

use polylink_core::{FileId, Name, NameRules};

use crate::error::Error;

/// A pattern for view names, such as `{parent} {name}` or `{stem}-{n}.{ext}`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Template {
    parts: Vec<Part>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Part {
    Text(String),
    Name,
    Stem,
    Ext,
    Parent,
    Path,
    Number,
    Id,
}

/// The fields that a template may have, for messages.
pub const FIELDS: &str = "{name} {stem} {ext} {parent} {path} {n} {id}";

/// What no name can hold here; on Windows the names that Win32 takes (\[MS-FSCC\] 2.1.5.2).
const FORBIDDEN: &[char] = if cfg!(windows) {
    &['/', '\0', '\\', ':', '*', '?', '"', '<', '>', '|']
} else {
    &['/', '\0']
};

const FORBIDDEN_TEXT: &str = if cfg!(windows) {
    "a name cannot contain a slash, nor any of \\ : * ? \" < > |; a view is a single directory"
} else {
    "a name cannot contain a slash; a view is a single directory"
};

impl Default for Template {
    fn default() -> Self {
        Self {
            parts: vec![Part::Name],
        }
    }
}

/// A file as a template sees it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Subject<'a> {
    pub(crate) name: Name<'a>,
    /// The folders below the source, with slashes; empty for a file right in the source.
    pub(crate) folders: &'a [u8],
    pub(crate) id: FileId,
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    ///
    /// [`Error::Template`] for an unknown field, a brace without its partner, a slash, or nothing at all.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let wrong = |why: String| Error::Template {
            template: text.to_owned(),
            why,
        };
        let mut parts = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            let plain = rest.find(['{', '}']).unwrap_or(rest.len());
            if plain > 0 {
                parts.push(Part::Text(rest[..plain].to_owned()));
                rest = &rest[plain..];
                continue;
            }
            if let Some(after) = rest.strip_prefix("{{") {
                parts.push(Part::Text("{".to_owned()));
                rest = after;
                continue;
            }
            if let Some(after) = rest.strip_prefix("}}") {
                parts.push(Part::Text("}".to_owned()));
                rest = after;
                continue;
            }
            let Some((field, after)) = rest.strip_prefix('{').and_then(|inner| inner.split_once('}')) else {
                return Err(wrong(
                    "a brace stands alone; write {{ or }} for a plain one".to_owned(),
                ));
            };
            parts.push(match field {
                "name" => Part::Name,
                "stem" => Part::Stem,
                "ext" => Part::Ext,
                "parent" => Part::Parent,
                "path" => Part::Path,
                "n" => Part::Number,
                "id" => Part::Id,
                other => {
                    return Err(wrong(format!(
                        "there is no field {{{other}}}; there are {FIELDS}"
                    )));
                }
            });
            rest = after;
        }
        if parts.is_empty() {
            return Err(wrong("it is empty".to_owned()));
        }
        if text.contains(FORBIDDEN) {
            return Err(wrong(FORBIDDEN_TEXT.to_owned()));
        }
        if parts.iter().all(|part| matches!(part, Part::Text(_))) {
            return Err(wrong(format!(
                "every file would get one name; use one of {FIELDS}"
            )));
        }
        Ok(Self { parts })
    }

    pub(crate) fn is_plain(&self) -> bool {
        self.parts == [Part::Name]
    }

    /// Whether the template numbers names itself.
    pub(crate) fn has_number(&self) -> bool {
        self.parts.contains(&Part::Number)
    }

    /// The name for a file, not yet cut to length.
    pub(crate) fn fill<'a>(&self, subject: &Subject<'a>, number: u32) -> Cow<'a, [u8]> {
        if self.is_plain() {
            return Cow::Borrowed(subject.name.bytes());
        }
        let (stem, ext) = subject.name.split_extension();
        let mut out = Vec::new();
        let mut empty_so_far = false;
        for part in &self.parts {
            match part {
                // `{path} {name}` of a file right in the source is its name, without a space
                Part::Text(text) if empty_so_far && out.is_empty() => {
                    let text = text.trim_start_matches([' ', '-', '_', '.', ',']);
                    out.extend_from_slice(text.as_bytes());
                }
                Part::Text(text) => out.extend_from_slice(text.as_bytes()),
                Part::Name => out.extend_from_slice(subject.name.bytes()),
                Part::Stem => out.extend_from_slice(stem),
                Part::Ext => match ext {
                    Some(ext) => out.extend_from_slice(ext),
                    // `{stem}.{ext}` of a file without extension is the stem, without a dot
                    None if out.last() == Some(&b'.') => {
                        out.pop();
                    }
                    None => {}
                },
                Part::Parent | Part::Path if subject.folders.is_empty() => empty_so_far |= out.is_empty(),
                Part::Parent => {
                    out.extend_from_slice(subject.folders.rsplit(|&b| b == b'/').next().unwrap_or_default());
                }
                Part::Path => out.extend(subject.folders.iter().map(|&b| if b == b'/' { b'-' } else { b })),
                Part::Number => out.extend_from_slice(number.to_string().as_bytes()),
                Part::Id => out.extend_from_slice(subject.id.id.to_string().as_bytes()),
            }
        }
        match out.as_slice() {
            b"" | b"." | b".." => out.extend_from_slice(b"_"),
            _ => {}
        }
        Cow::Owned(out)
    }
}

/// A numbered name, cut so that it fits and numbers still differ: where `filled` is too long, its number may be what
/// is cut off, and then it comes again at the end of the stem.
pub(crate) fn fitting_number(filled: Cow<'_, [u8]>, number: u32, rules: &NameRules) -> Vec<u8> {
    if rules.fits(&filled) {
        filled.into_owned()
    } else {
        rules.with_label(&filled, number.to_string().as_bytes())
    }
}

/// The name, cut at the stem where it is too long.
pub(crate) fn fitting<'a>(name: Cow<'a, [u8]>, rules: &NameRules) -> Cow<'a, [u8]> {
    if rules.fits(&name) {
        return name;
    }
    let (stem, ext) = Name::new(&name).split_extension();
    let tail = ext.map_or_else(Vec::new, |ext| [b".", ext].concat());
    Cow::Owned(rules.joined(stem, &tail))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(template: &str, name: &str, folders: &str) -> String {
        let subject = Subject {
            name: Name::new(name),
            folders: folders.as_bytes(),
            id: FileId { volume: 1, id: 42 },
        };
        String::from_utf8(Template::parse(template).unwrap().fill(&subject, 7).into_owned()).unwrap()
    }

    #[test]
    fn every_field_is_filled() {
        assert_eq!(
            filled(
                "{stem}+{ext}+{parent}+{path}+{n}+{id}+{name}+{{}}",
                "a.jpg",
                "2007/02"
            ),
            "a+jpg+02+2007-02+7+42+a.jpg+{}"
        );
        assert_eq!(filled("{stem}.{ext}", "README", ""), "README");
        assert_eq!(filled("{parent}", "a", ""), "_");
        assert_eq!(filled("{path} - {name}", "a.jpg", ""), "a.jpg");
        assert_eq!(filled("{path} - {name}", "a.jpg", "2007/02"), "2007-02 - a.jpg");
    }

    #[test]
    fn what_is_wrong_with_a_template_is_said() {
        for (text, says) in [
            ("{nam}", "there is no field {nam}"),
            ("a{", "brace"),
            ("", "empty"),
            ("x/{name}", "slash"),
            ("x", "one name"),
        ] {
            let error = Template::parse(text).unwrap_err().to_string();
            assert!(error.contains(says), "{text}: {error}");
        }
    }

    #[test]
    fn long_names_are_cut_at_the_stem_between_characters() {
        let rules = NameRules {
            max_len: 12,
            ..NameRules::POSIX
        };
        assert_eq!(rules.with_label(b"abcdefgh.jpg", b"02"), b"abc (02).jpg");
        let longer = NameRules {
            max_len: 30,
            ..NameRules::POSIX
        };
        assert_eq!(
            longer.with_label(b"abcdefgh.jpg", b"2007-02-17-and-a-long-way-more"),
            b"a (2007-02-17-and-a-long-).jpg",
            "a long label gives way to the extension"
        );
        assert_eq!(rules.with_label(b"a.bcdefghijkl", b"17"), b"a (17).bcdef");
        assert_eq!(
            fitting_number(Cow::Borrowed(b"abcdefghijklm-7.jpg"), 7, &rules),
            b"abcd (7).jpg"
        );
        assert_eq!(
            fitting(Cow::Borrowed("ääääää.jpg".as_bytes()), &rules),
            "ääää.jpg".as_bytes()
        );
        assert_eq!(fitting(Cow::Borrowed(b"abcdefghijklmnop"), &rules).len(), 12);
        assert_eq!(fitting(Cow::Borrowed(b"a.bcdefghijklmnop"), &rules).len(), 12);
        assert_eq!(
            fitting(Cow::Borrowed(b"short.jpg"), &rules).as_ref(),
            b"short.jpg"
        );
    }
}
