//! The numbers and names of refusals, in the terms of the system that polylink runs on.

use polylink_core::{Code, Fault, FaultKind};
use polylink_nt::NtStatus;
use serde::Serialize;

/// The fault as this system would report it. Where the libraries refuse something themselves, they have the number of
/// Linux; nobody on Windows knows those.
pub(crate) fn native(fault: Fault) -> Fault {
    match fault.code() {
        Code::Errno(_) if cfg!(windows) => windows(fault.kind()),
        _ => fault,
    }
}

/// What Windows says of a kind: the NTSTATUS, or, where there is none of its own, the Win32 code (\[MS-ERREF\] 2.2).
fn windows(kind: FaultKind) -> Fault {
    let status = match kind {
        FaultKind::NotFound => NtStatus::OBJECT_NAME_NOT_FOUND,
        FaultKind::Exists => NtStatus::OBJECT_NAME_COLLISION,
        FaultKind::IsDirectory => NtStatus::FILE_IS_A_DIRECTORY,
        FaultKind::NotDirectory => NtStatus::NOT_A_DIRECTORY,
        FaultKind::CrossesVolumes => NtStatus::NOT_SAME_DEVICE,
        FaultKind::TooManyLinks => NtStatus::TOO_MANY_LINKS,
        FaultKind::AccessDenied | FaultKind::NotPermitted => NtStatus::ACCESS_DENIED,
        FaultKind::ReadOnly => NtStatus::MEDIA_WRITE_PROTECTED,
        FaultKind::NoSpace => NtStatus::DISK_FULL,
        FaultKind::NameTooLong => NtStatus::NAME_TOO_LONG,
        FaultKind::NameInvalid => NtStatus::OBJECT_NAME_INVALID,
        FaultKind::Unsupported => NtStatus::NOT_SUPPORTED,
        FaultKind::NotEmpty => NtStatus::DIRECTORY_NOT_EMPTY,
        FaultKind::Busy => NtStatus::SHARING_VIOLATION,
        FaultKind::Stale => NtStatus::FILE_DELETED,
        FaultKind::TooManyOpen => return Fault::new(kind, Code::Win32(4), "ERROR_TOO_MANY_OPEN_FILES"),
        FaultKind::SymlinkMet => return Fault::new(kind, Code::Win32(681), "ERROR_STOPPED_ON_SYMLINK"),
        FaultKind::Interrupted => return Fault::new(kind, Code::Win32(995), "ERROR_OPERATION_ABORTED"),
        _ => return Fault::new(kind, Code::Win32(1117), "ERROR_IO_DEVICE"),
    };
    let fault = Fault::from(status);
    Fault::new(kind, fault.code(), fault.symbol())
}

/// The numbers of a refusal, for programs: what is not known, or is none of this system's, is null.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub(crate) struct Codes {
    /// The NTSTATUS by name; by number where it has no name here.
    status: Option<String>,
    /// The Win32 code; that of the NTSTATUS where that is what the system gave.
    win32: Option<u32>,
    errno: Option<i32>,
    /// The name of the number that the system gave.
    symbol: Option<&'static str>,
}

impl Codes {
    pub(crate) fn of(fault: Fault) -> Self {
        let fault = native(fault);
        let mut codes = Self {
            symbol: Some(fault.symbol()).filter(|symbol| !symbol.is_empty()),
            ..Self::default()
        };
        match fault.code() {
            Code::Errno(number) => codes.errno = Some(number),
            Code::Win32(number) => codes.win32 = Some(number),
            Code::NtStatus(number) => {
                let status = NtStatus::new(number);
                let name = status.name().map(str::to_owned);
                codes.status = Some(name.unwrap_or_else(|| format!("0x{number:08X}")));
                codes.win32 = Some(status.win32());
            }
            _ => {}
        }
        codes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_win32_code_follows_from_the_status() {
        let codes = Codes::of(NtStatus::FILE_IS_A_DIRECTORY.into());
        assert_eq!(codes.status.as_deref(), Some("STATUS_FILE_IS_A_DIRECTORY"));
        assert_eq!((codes.win32, codes.errno), (Some(5), None));
        let unknown = Codes::of(NtStatus::new(0xC000_0001).into());
        assert_eq!(unknown.status.as_deref(), Some("0xC0000001"));
        assert_eq!(unknown.symbol, None);
        let win32 = Codes::of(Fault::new(
            FaultKind::Exists,
            Code::Win32(183),
            "ERROR_ALREADY_EXISTS",
        ));
        assert_eq!((win32.status, win32.win32), (None, Some(183)));
    }

    #[test]
    fn on_windows_no_number_of_linux_is_shown() {
        let codes = Codes::of(Fault::of(FaultKind::CrossesVolumes));
        if cfg!(windows) {
            assert_eq!((codes.win32, codes.errno), (Some(17), None));
        } else {
            assert_eq!((codes.win32, codes.errno), (None, Some(18)));
        }
        assert_eq!(
            windows(FaultKind::CrossesVolumes).to_string(),
            "the two names are on different volumes (STATUS_NOT_SAME_DEVICE 0xC00000D4)"
        );
        assert_eq!(windows(FaultKind::NotPermitted).kind(), FaultKind::NotPermitted);
        assert_eq!(
            windows(FaultKind::SymlinkMet).symbol(),
            "ERROR_STOPPED_ON_SYMLINK"
        );
    }
}
