//! Error numbers as faults.

use polylink_core::{Code, Fault, FaultKind};
use rustix::io::Errno;

/// The fault for an error number of this system.
pub(crate) fn fault(errno: Errno) -> Fault {
    use FaultKind as K;
    let (kind, symbol) = match errno {
        Errno::NOENT => (K::NotFound, "ENOENT"),
        Errno::EXIST => (K::Exists, "EEXIST"),
        Errno::ISDIR => (K::IsDirectory, "EISDIR"),
        Errno::NOTDIR => (K::NotDirectory, "ENOTDIR"),
        Errno::XDEV => (K::CrossesVolumes, "EXDEV"),
        Errno::MLINK => (K::TooManyLinks, "EMLINK"),
        Errno::ACCESS => (K::AccessDenied, "EACCES"),
        Errno::PERM => (K::NotPermitted, "EPERM"),
        Errno::ROFS => (K::ReadOnly, "EROFS"),
        Errno::NOSPC => (K::NoSpace, "ENOSPC"),
        Errno::DQUOT => (K::NoSpace, "EDQUOT"),
        Errno::NAMETOOLONG => (K::NameTooLong, "ENAMETOOLONG"),
        Errno::ILSEQ => (K::NameInvalid, "EILSEQ"),
        Errno::INVAL => (K::NameInvalid, "EINVAL"),
        Errno::OPNOTSUPP => (K::Unsupported, "EOPNOTSUPP"),
        Errno::NOSYS => (K::Unsupported, "ENOSYS"),
        Errno::LOOP => (K::SymlinkMet, "ELOOP"),
        Errno::NOTEMPTY => (K::NotEmpty, "ENOTEMPTY"),
        Errno::MFILE => (K::TooManyOpen, "EMFILE"),
        Errno::NFILE => (K::TooManyOpen, "ENFILE"),
        Errno::BUSY => (K::Busy, "EBUSY"),
        Errno::TXTBSY => (K::Busy, "ETXTBSY"),
        Errno::INTR => (K::Interrupted, "EINTR"),
        Errno::IO => (K::Io, "EIO"),
        Errno::STALE => (K::Stale, "ESTALE"),
        Errno::NOMEM => (K::Other, "ENOMEM"),
        Errno::RANGE => (K::Other, "ERANGE"),
        Errno::FBIG => (K::Other, "EFBIG"),
        Errno::NODEV => (K::Other, "ENODEV"),
        Errno::NOTCONN => (K::Other, "ENOTCONN"),
        Errno::TIMEDOUT => (K::Other, "ETIMEDOUT"),
        Errno::OVERFLOW => (K::Other, "EOVERFLOW"),
        Errno::BADF => (K::Other, "EBADF"),
        _ => (K::Other, ""),
    };
    Fault::new(kind, Code::Errno(errno.raw_os_error()), symbol)
}
