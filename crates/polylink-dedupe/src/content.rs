//! Reading files: what they hash to, and whether two are the same byte for byte.

use polylink_core::{Content, Fault, FaultKind, FsResult, Progress, Stat};

/// A file of up to so many bytes is read whole when it is opened for the first time.
pub(crate) const SMALL: u64 = 16 << 10;
/// What is read first of a larger file.
const BLOCK: usize = 4 << 10;
/// What is read at once of a file that is read whole: it fits into the processor's cache beside its hash.
const PIECE: usize = 256 << 10;

/// Half of a blake3 hash: more than enough to tell which files are worth comparing.
pub(crate) type Hash = [u8; 16];

/// The memory that one thread reads with.
pub(crate) struct Buffers {
    one: Vec<u8>,
    other: Vec<u8>,
}

impl Buffers {
    pub(crate) fn new() -> Self {
        Self {
            one: Vec::new(),
            other: Vec::new(),
        }
    }
}

/// Whether a file is still the one that it was, unchanged. Names, which we change ourselves, do not count.
pub(crate) fn unchanged(then: &Stat, now: &Stat) -> bool {
    (then.id, then.kind, then.size, then.modified, then.born)
        == (now.id, now.kind, now.size, now.modified, now.born)
        && (then.owner, then.mode) == (now.owner, now.mode)
}

/// As [`unchanged`], and nothing else was done to it either: no name came or went. Where the time of the last change of
/// any kind is not known, or not any more because we changed something ourselves, it does not count.
pub(crate) fn untouched(then: &Stat, now: &Stat) -> bool {
    unchanged(then, now) && (then.changed.is_none() || then.changed == now.changed)
}

/// The fault of a file that changes while it is worked with.
pub(crate) fn changed() -> Fault {
    FaultKind::Stale.into()
}

fn half(hash: &blake3::Hash) -> Hash {
    let mut half = Hash::default();
    half.copy_from_slice(&hash.as_bytes()[..16]);
    half
}

/// The hash of a file's beginning, which is all of it up to [`SMALL`] bytes. Whether the file grew or was changed
/// meanwhile only a look at it afterwards tells.
pub(crate) fn hash_start(file: &dyn Content, seen: &Stat, buffers: &mut Buffers) -> FsResult<Hash> {
    let want = match seen.size {
        0..=SMALL => seen.size as usize,
        _ => BLOCK,
    };
    buffers.one.resize(PIECE, 0);
    if file.read_full(0, &mut buffers.one[..want])? != want {
        return Err(changed());
    }
    Ok(half(&blake3::hash(&buffers.one[..want])))
}

/// The hash of all of a file, as it was seen; see [`hash_start`].
pub(crate) fn hash_whole(
    file: &dyn Content,
    seen: &Stat,
    buffers: &mut Buffers,
    progress: &dyn Progress,
) -> FsResult<Hash> {
    buffers.one.resize(PIECE, 0);
    let mut hasher = blake3::Hasher::new();
    let mut offset = 0;
    while offset < seen.size {
        if progress.cancelled() {
            return Err(FaultKind::Interrupted.into());
        }
        let piece = &mut buffers.one[..piece(seen.size - offset)];
        if file.read_full(offset, piece)? != piece.len() {
            return Err(changed());
        }
        hasher.update(piece);
        offset += piece.len() as u64;
    }
    Ok(half(&hasher.finalize()))
}

/// Whether the first `size` bytes of two files are the same; a look at both afterwards tells whether that is all.
pub(crate) fn same_bytes(
    one: &dyn Content,
    other: &dyn Content,
    size: u64,
    buffers: &mut Buffers,
    progress: &dyn Progress,
) -> FsResult<bool> {
    buffers.one.resize(PIECE, 0);
    buffers.other.resize(PIECE, 0);
    let mut offset = 0;
    while offset < size {
        if progress.cancelled() {
            return Err(FaultKind::Interrupted.into());
        }
        let piece = piece(size - offset);
        let (left, right) = (&mut buffers.one[..piece], &mut buffers.other[..piece]);
        if one.read_full(offset, left)? != piece || other.read_full(offset, right)? != piece {
            return Err(changed());
        }
        if left != right {
            return Ok(false);
        }
        offset += piece as u64;
    }
    Ok(true)
}

/// How much is read next where so much is left.
fn piece(left: u64) -> usize {
    usize::try_from(left).map_or(PIECE, |left| left.min(PIECE))
}
