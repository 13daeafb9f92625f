//! `name:stream:type`.

use super::NameError;

/// The last component of a path that may name a stream of a file.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct StreamPath<'a> {
    /// The file's name; empty where the path begins with the colon.
    pub file: &'a [u16],
    /// The stream's name; `None` without a colon, and empty for the unnamed stream (`name::$DATA`).
    pub stream: Option<&'a [u16]>,
    /// The attribute's type, such as `$DATA`; `None` where it is not said.
    pub kind: Option<&'a [u16]>,
}

impl StreamPath<'_> {
    /// Whether it leads to a stream that is not the file's own, unnamed data: no hard link can (\[MS-FSA\] 2.1.5.15.7).
    ///
    /// The type is compared without case; any other than `$DATA` is not the file's data.
    #[must_use]
    pub fn is_other_stream(&self) -> bool {
        let is_data = |kind: &[u16]| {
            kind.len() == 5
                && kind.iter().zip(*b"$DATA").all(|(&unit, byte)| {
                    u8::try_from(unit).is_ok_and(|unit| unit.to_ascii_uppercase() == byte)
                })
        };
        self.stream.is_some_and(|stream| !stream.is_empty()) || self.kind.is_some_and(|kind| !is_data(kind))
    }
}

/// Takes the last component of a path apart at its colons (\[MS-FSCC\] 2.1.5.3).
///
/// # Errors
///
/// [`NameError::Colons`] for a third colon. The parts are not checked.
pub fn split_stream(component: &[u16]) -> Result<StreamPath<'_>, NameError> {
    const COLON: u16 = 0x3A;
    let mut parts = component.splitn(3, |&unit| unit == COLON);
    let path = StreamPath {
        file: parts.next().unwrap_or_default(),
        stream: parts.next(),
        kind: parts.next(),
    };
    match path
        .kind
        .and_then(|kind| kind.iter().position(|&unit| unit == COLON))
    {
        Some(at) => Err(NameError::Colons {
            // the type is the end of the component
            index: component.len() - path.kind.map_or(0, <[u16]>::len) + at,
        }),
        None => Ok(path),
    }
}
