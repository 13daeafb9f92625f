//! The numbers of `errno.h`, which differ from system to system.

/// The number that this system has for a symbol; that of `EIO` for one that is not in the list.
///
/// `ENODATA` is not known to every system; where errors are not numbered as on Linux it is `ENOENT`.
pub(crate) fn number(symbol: &str) -> i32 {
    system::number(symbol)
}

#[cfg(unix)]
mod system {
    use rustix::io::Errno;

    /// Linux's number of `ENODATA`.
    const LINUX_NODATA: i32 = 61;

    pub(super) fn number(symbol: &str) -> i32 {
        let errno = match symbol {
            "EPERM" => Errno::PERM,
            "ENOENT" => Errno::NOENT,
            "EINTR" => Errno::INTR,
            "E2BIG" => Errno::TOOBIG,
            "EBADF" => Errno::BADF,
            "EAGAIN" => Errno::AGAIN,
            "ENOMEM" => Errno::NOMEM,
            "EACCES" => Errno::ACCESS,
            "EBUSY" => Errno::BUSY,
            "EEXIST" => Errno::EXIST,
            "EXDEV" => Errno::XDEV,
            "ENOTDIR" => Errno::NOTDIR,
            "EISDIR" => Errno::ISDIR,
            "EINVAL" => Errno::INVAL,
            "EMFILE" => Errno::MFILE,
            "ENOSPC" => Errno::NOSPC,
            "EROFS" => Errno::ROFS,
            "EMLINK" => Errno::MLINK,
            "ENAMETOOLONG" => Errno::NAMETOOLONG,
            "ENOTEMPTY" => Errno::NOTEMPTY,
            "ELOOP" => Errno::LOOP,
            "EILSEQ" => Errno::ILSEQ,
            "EOPNOTSUPP" => Errno::OPNOTSUPP,
            "ENODATA" if numbered_as_on_linux() => return LINUX_NODATA,
            "ENODATA" => Errno::NOENT,
            _ => Errno::IO,
        };
        errno.raw_os_error()
    }

    /// Told by numbers in which the families of Unix differ.
    fn numbered_as_on_linux() -> bool {
        Errno::OPNOTSUPP.raw_os_error() == 95 && Errno::LOOP.raw_os_error() == 40
    }
}

#[cfg(windows)]
mod system {
    /// The C runtime's numbers (Microsoft's documentation of `errno` constants).
    pub(super) fn number(symbol: &str) -> i32 {
        match symbol {
            "EPERM" => 1,
            "ENOENT" | "ENODATA" => 2,
            "EINTR" => 4,
            "E2BIG" => 7,
            "EBADF" => 9,
            "EAGAIN" => 11,
            "ENOMEM" => 12,
            "EACCES" => 13,
            "EBUSY" => 16,
            "EEXIST" => 17,
            "EXDEV" => 18,
            "ENOTDIR" => 20,
            "EISDIR" => 21,
            "EINVAL" => 22,
            "EMFILE" => 24,
            "ENOSPC" => 28,
            "EROFS" => 30,
            "EMLINK" => 31,
            "ENAMETOOLONG" => 38,
            "ENOTEMPTY" => 41,
            "EILSEQ" => 42,
            "ELOOP" => 114,
            "EOPNOTSUPP" => 130,
            _ => 5,
        }
    }
}

#[cfg(test)]
mod tests {
    use polylink_nt::NtStatus;

    use super::*;

    #[test]
    fn every_symbol_that_a_status_can_have_is_in_the_list() {
        for status in NtStatus::ALL {
            if let Some(errno) = status.errno() {
                let known = number(errno.symbol) != number("EIO") || errno.symbol == "EIO";
                assert!(known, "{}", errno.symbol);
            }
        }
    }

    #[test]
    #[cfg(unix)]
    fn on_linux_the_numbers_are_those_of_the_table() {
        if number("EOPNOTSUPP") != 95 {
            return; // another Unix, which numbers them otherwise
        }
        for status in NtStatus::ALL {
            if let Some(errno) = status.errno() {
                assert_eq!(number(errno.symbol), errno.linux, "{}", errno.symbol);
            }
        }
    }
}
