//! The calls of Win32 that end in one of the requests: CreateHardLink, MoveFileEx, DeleteFile.
