//! The structures of NtSetInformationFile and NtQueryInformationFile that concern names, as bytes.
