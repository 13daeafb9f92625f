//! Which names can exist: Win32 and POSIX namespaces, reserved names, lengths.
