/*
 * polylink: one file, many names.
 *
 * Made by `POLYLINK_BLESS=1 cargo test -p polylink-capi` from crates/polylink-capi/src/ffi: change that instead.
 *
 * Three kinds of functions:
 *
 *   PolylinkCreateHardLinkW/A   as Win32 has it: nonzero if done, 0 if not. New name first.
 *   PolylinkNt...               as NT has it: an NTSTATUS.
 *   polylink_...                as Unix has it: 0 if done, -1 if not. Existing name first.
 *
 * Each that fails sets the thread's last error: polylink_last_error() and its sisters. None unwinds into its caller:
 * a fault in polylink itself is STATUS_UNSUCCESSFUL, ERROR_GEN_FAILURE (31); a library that was built with
 * panic=abort ends the process instead. NULL where something is needed is ERROR_INVALID_PARAMETER (87).
 *
 * All functions may be called from any thread. UTF-16 is in the byte order of the machine, which is little-endian.
 */

#ifndef POLYLINK_H
#define POLYLINK_H

#include <stddef.h>
#include <stdint.h>

/* The version of this header; polylink_version() is that of the library. */
#define POLYLINK_VERSION "0.1.0"
#define POLYLINK_VERSION_MAJOR 0
#define POLYLINK_VERSION_MINOR 1
#define POLYLINK_VERSION_PATCH 0

/* stdcall, as CreateHardLink has it; on 64-bit systems it is the convention of C. */
#if defined(_WIN32) && !defined(_WIN64)
#define POLYLINK_CALL __stdcall
#else
#define POLYLINK_CALL
#endif

/* What the native functions return, and polylink_last_error_status() ([MS-ERREF] 2.3). */
#define POLYLINK_STATUS_SUCCESS ((int32_t)0x00000000)
#define POLYLINK_STATUS_OBJECT_NAME_COLLISION ((int32_t)0xC0000035)
#define POLYLINK_STATUS_TOO_MANY_LINKS ((int32_t)0xC0000265)
#define POLYLINK_STATUS_FILE_IS_A_DIRECTORY ((int32_t)0xC00000BA)
#define POLYLINK_STATUS_NOT_SAME_DEVICE ((int32_t)0xC00000D4)
#define POLYLINK_STATUS_ACCESS_DENIED ((int32_t)0xC0000022)
#define POLYLINK_STATUS_CANNOT_DELETE ((int32_t)0xC0000121)
#define POLYLINK_STATUS_DELETE_PENDING ((int32_t)0xC0000056)
#define POLYLINK_STATUS_FILE_DELETED ((int32_t)0xC0000123)
#define POLYLINK_STATUS_SHARING_VIOLATION ((int32_t)0xC0000043)
#define POLYLINK_STATUS_OBJECT_NAME_INVALID ((int32_t)0xC0000033)
#define POLYLINK_STATUS_OBJECT_NAME_NOT_FOUND ((int32_t)0xC0000034)
#define POLYLINK_STATUS_NO_SUCH_FILE ((int32_t)0xC000000F)
#define POLYLINK_STATUS_OBJECT_PATH_NOT_FOUND ((int32_t)0xC000003A)
#define POLYLINK_STATUS_OBJECT_PATH_INVALID ((int32_t)0xC0000039)
#define POLYLINK_STATUS_OBJECT_PATH_SYNTAX_BAD ((int32_t)0xC000003B)
#define POLYLINK_STATUS_NOT_A_DIRECTORY ((int32_t)0xC0000103)
#define POLYLINK_STATUS_DIRECTORY_NOT_EMPTY ((int32_t)0xC0000101)
#define POLYLINK_STATUS_NAME_TOO_LONG ((int32_t)0xC0000106)
#define POLYLINK_STATUS_INVALID_PARAMETER ((int32_t)0xC000000D)
#define POLYLINK_STATUS_INVALID_PARAMETER_1 ((int32_t)0xC00000EF)
#define POLYLINK_STATUS_INVALID_PARAMETER_2 ((int32_t)0xC00000F0)
#define POLYLINK_STATUS_INVALID_PARAMETER_3 ((int32_t)0xC00000F1)
#define POLYLINK_STATUS_INVALID_PARAMETER_4 ((int32_t)0xC00000F2)
#define POLYLINK_STATUS_INVALID_PARAMETER_5 ((int32_t)0xC00000F3)
#define POLYLINK_STATUS_INVALID_PARAMETER_6 ((int32_t)0xC00000F4)
#define POLYLINK_STATUS_INVALID_PARAMETER_7 ((int32_t)0xC00000F5)
#define POLYLINK_STATUS_INVALID_PARAMETER_8 ((int32_t)0xC00000F6)
#define POLYLINK_STATUS_INVALID_PARAMETER_9 ((int32_t)0xC00000F7)
#define POLYLINK_STATUS_INVALID_PARAMETER_10 ((int32_t)0xC00000F8)
#define POLYLINK_STATUS_INVALID_PARAMETER_11 ((int32_t)0xC00000F9)
#define POLYLINK_STATUS_INVALID_PARAMETER_12 ((int32_t)0xC00000FA)
#define POLYLINK_STATUS_INVALID_INFO_CLASS ((int32_t)0xC0000003)
#define POLYLINK_STATUS_INFO_LENGTH_MISMATCH ((int32_t)0xC0000004)
#define POLYLINK_STATUS_NOT_SUPPORTED ((int32_t)0xC00000BB)
#define POLYLINK_STATUS_NOT_IMPLEMENTED ((int32_t)0xC0000002)
#define POLYLINK_STATUS_INVALID_DEVICE_REQUEST ((int32_t)0xC0000010)
#define POLYLINK_STATUS_MEDIA_WRITE_PROTECTED ((int32_t)0xC00000A2)
#define POLYLINK_STATUS_DISK_FULL ((int32_t)0xC000007F)
#define POLYLINK_STATUS_INVALID_HANDLE ((int32_t)0xC0000008)
#define POLYLINK_STATUS_FILE_CLOSED ((int32_t)0xC0000128)
#define POLYLINK_STATUS_OBJECT_TYPE_MISMATCH ((int32_t)0xC0000024)
#define POLYLINK_STATUS_BUFFER_OVERFLOW ((int32_t)0x80000005)
#define POLYLINK_STATUS_BUFFER_TOO_SMALL ((int32_t)0xC0000023)
#define POLYLINK_STATUS_NO_MORE_FILES ((int32_t)0x80000006)
#define POLYLINK_STATUS_END_OF_FILE ((int32_t)0xC0000011)
#define POLYLINK_STATUS_PRIVILEGE_NOT_HELD ((int32_t)0xC0000061)
#define POLYLINK_STATUS_INSUFFICIENT_RESOURCES ((int32_t)0xC000009A)
#define POLYLINK_STATUS_NO_MEMORY ((int32_t)0xC0000017)
#define POLYLINK_STATUS_FILE_CORRUPT_ERROR ((int32_t)0xC0000102)
#define POLYLINK_STATUS_DISK_CORRUPT_ERROR ((int32_t)0xC0000032)
#define POLYLINK_STATUS_NOT_A_REPARSE_POINT ((int32_t)0xC0000275)
#define POLYLINK_STATUS_IO_REPARSE_TAG_NOT_HANDLED ((int32_t)0xC0000279)
#define POLYLINK_STATUS_USER_MAPPED_FILE ((int32_t)0xC0000243)
#define POLYLINK_STATUS_UNSUCCESSFUL ((int32_t)0xC0000001)
#define POLYLINK_STATUS_TOO_MANY_OPENED_FILES ((int32_t)0xC000011F)
#define POLYLINK_STATUS_CANCELLED ((int32_t)0xC0000120)
#define POLYLINK_STATUS_UNMAPPABLE_CHARACTER ((int32_t)0xC0000162)
#define POLYLINK_STATUS_IO_DEVICE_ERROR ((int32_t)0xC0000185)
#define POLYLINK_STATUS_REPARSE_POINT_NOT_RESOLVED ((int32_t)0xC0000280)


/**
 * For polylink_link: a name that exists leads to the other file afterwards. There is no moment without the name.
 */
#define POLYLINK_REPLACE 1

/**
 * FileLinkInformation, with a PolylinkFileLinkInformation.
 */
#define POLYLINK_FILE_LINK_INFORMATION 11

/**
 * FileLinkInformationEx, with a PolylinkFileLinkInformationEx.
 */
#define POLYLINK_FILE_LINK_INFORMATION_EX 72

/**
 * A name that exists is replaced.
 */
#define POLYLINK_FILE_LINK_REPLACE_IF_EXISTS 1

/**
 * A replaced file that is open stays usable through its handles, as it always does on Unix.
 */
#define POLYLINK_FILE_LINK_POSIX_SEMANTICS 2

/**
 * A read-only file may be replaced. Unix has no such attribute.
 */
#define POLYLINK_FILE_LINK_IGNORE_READONLY_ATTRIBUTE 64

/**
 * An open file or directory. Made by PolylinkNtOpenFile and polylink_file_open.
 *
 * Several threads may use it.
 */
typedef struct polylink_file polylink_file;

/**
 * The names of a file, gone through one by one. Made by polylink_names_open and its sisters.
 *
 * Several threads may use it; each name is given once.
 */
typedef struct polylink_names polylink_names;

/**
 * IO_STATUS_BLOCK: what became of a native call. A call that fails leaves it as it was.
 */
typedef struct PolylinkIoStatusBlock {
    /**
     * The status.
     */
    int32_t Status;
    /**
     * 0 after a link was made.
     */
    size_t Information;
} PolylinkIoStatusBlock;

/**
 * FILE_LINK_INFORMATION ([MS-FSCC] 2.4.28), for POLYLINK_FILE_LINK_INFORMATION. Its size, with the padding at its end,
 * is the least that a buffer has, however short the name.
 */
typedef struct PolylinkFileLinkInformation {
    /**
     * BOOLEAN: whether a name that exists is replaced.
     */
    uint8_t ReplaceIfExists;
    /**
     * NULL, or the directory that FileName is relative to.
     */
    struct polylink_file *RootDirectory;
    /**
     * Bytes of FileName, which has no terminating zero.
     */
    uint32_t FileNameLength;
    /**
     * The first unit of the new name; the others follow.
     */
    uint16_t FileName[1];
} PolylinkFileLinkInformation;

/**
 * FILE_LINK_INFORMATION_EX ([MS-FSCC] 2.4.28), for POLYLINK_FILE_LINK_INFORMATION_EX. As the classic structure, but
 * for its flags.
 */
typedef struct PolylinkFileLinkInformationEx {
    /**
     * POLYLINK_FILE_LINK_REPLACE_IF_EXISTS and the others.
     */
    uint32_t Flags;
    /**
     * NULL, or the directory that FileName is relative to.
     */
    struct polylink_file *RootDirectory;
    /**
     * Bytes of FileName, which has no terminating zero.
     */
    uint32_t FileNameLength;
    /**
     * The first unit of the new name; the others follow.
     */
    uint16_t FileName[1];
} PolylinkFileLinkInformationEx;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * The Win32 code of the last failure on this thread; 0 if there was none.
 *
 * Every function of polylink that fails sets it; none that succeeds changes it. On Windows GetLastError() says the
 * same right after the failure.
 */
uint32_t polylink_last_error(void);

/**
 * The NTSTATUS of the last failure on this thread; 0 if there was none, or if the system gave a Win32 code only.
 *
 * The Win32 code follows from it, never the other way round: ERROR_ACCESS_DENIED alone hides five statuses.
 */
int32_t polylink_last_error_status(void);

/**
 * The errno of the last failure on this thread, as in this system's <errno.h>; 0 if there was none.
 *
 * It is the one that the system gave, where it gave one; else the one that stands for the status.
 */
int32_t polylink_last_error_errno(void);

/**
 * Writes what went wrong last on this thread into `buffer`, as one sentence in UTF-8, and returns its length.
 *
 * As with snprintf, `size` counts the terminating zero and the length returned does not; a length of `size` or more
 * means that the text was cut (never within a character). `buffer` may be NULL if `size` is 0. Paths are in it,
 * control characters of theirs escaped. Without a failure the text is empty.
 *
 * The caller promises that `buffer` has room for `size` bytes.
 */
size_t polylink_last_error_message(char *buffer,
                                   size_t size);

/**
 * The Win32 code of an NTSTATUS, as RtlNtStatusToDosError gives it: 0 for success, 317 for a status without one.
 */
uint32_t polylink_status_to_win32(int32_t status);

/**
 * The errno of an NTSTATUS, as in this system's <errno.h>: 0 for success, EIO where nothing better stands for it.
 *
 * As Linux' SMB client maps them. ENODATA, which not every system has, is ENOENT on others than Linux.
 */
int32_t polylink_status_to_errno(int32_t status);

/**
 * The name of an NTSTATUS, such as "STATUS_OBJECT_NAME_COLLISION"; NULL for one that polylink does not know.
 *
 * It must not be freed.
 */
const char *polylink_status_name(int32_t status);

/**
 * What an NTSTATUS means, in a few English words; never NULL. It must not be freed.
 */
const char *polylink_status_text(int32_t status);

/**
 * The version of the library that runs, such as "0.1.0"; POLYLINK_VERSION is that of the header. It must not be freed.
 */
const char *polylink_version(void);

/**
 * Gives the file lpExistingFileName the further name lpFileName: CreateHardLinkW, with its signature and errors.
 *
 * Returns nonzero if it did, and 0 if not, with the Win32 code in polylink_last_error() and, on Windows, in
 * GetLastError(). It never replaces a name, and never links a directory. Of a symbolic link the link itself gets the
 * name. lpSecurityAttributes is reserved and must be NULL.
 *
 * On Windows this is CreateHardLinkW, for paths of any length. On Unix the same rules are applied to the file systems
 * there: paths are UTF-16 that becomes UTF-8, '/' separates, and names may be whatever the file system lets them be.
 * Then the errors are, in this order:
 *
 * | code | reason |
 * |---|---|
 * | 87 ERROR_INVALID_PARAMETER | a name is NULL, or lpSecurityAttributes is not |
 * | 123 ERROR_INVALID_NAME | a path is not UTF-16 (a lone surrogate) |
 * | 3 ERROR_PATH_NOT_FOUND | a path is empty |
 * | 3 ERROR_PATH_NOT_FOUND | on the way of lpExistingFileName a directory is missing |
 * | 123 ERROR_INVALID_NAME | lpExistingFileName is too long a name, or has a '/' behind it and is a file |
 * | 2 ERROR_FILE_NOT_FOUND | lpExistingFileName does not exist |
 * | 3 ERROR_PATH_NOT_FOUND | on the way of lpFileName a directory is missing |
 * | 87 ERROR_INVALID_PARAMETER | on the way of lpFileName a file stands for a directory |
 * | 17 ERROR_NOT_SAME_DEVICE | the two are on different file systems |
 * | 19 ERROR_WRITE_PROTECT | the file system can only be read |
 * | 5 ERROR_ACCESS_DENIED | lpExistingFileName is a directory |
 * | 50 ERROR_NOT_SUPPORTED | the file system has no hard links |
 * | 123 ERROR_INVALID_NAME | lpFileName is too long a name, or has a '/' behind it and is no directory |
 * | 1142 ERROR_TOO_MANY_LINKS | the file has as many names as it can have |
 * | 183 ERROR_ALREADY_EXISTS | lpFileName exists, as a file or as a directory |
 *
 * Wherever the system refuses: 5 no permission, 112 no space, 206 the path is too long, 1921 symbolic links in a
 * circle, 4 too many open files, 32 in use, 1117 the device failed, 31 anything else.
 *
 * The caller promises that each name is NULL or ends with a zero. They need not be aligned.
 */
int32_t POLYLINK_CALL PolylinkCreateHardLinkW(const uint16_t *lpFileName,
                                              const uint16_t *lpExistingFileName,
                                              void *lpSecurityAttributes);

/**
 * As PolylinkCreateHardLinkW, with the names in the ANSI code page of Windows; on Unix in bytes, as the file systems
 * there have them.
 *
 * Bytes that the code page does not have are ERROR_INVALID_NAME (123).
 *
 * The caller promises that each name is NULL or ends with a zero.
 */
int32_t POLYLINK_CALL PolylinkCreateHardLinkA(const char *lpFileName,
                                              const char *lpExistingFileName,
                                              void *lpSecurityAttributes);

/**
 * Gives the file `existing` the further name `new_name`, and returns 0; or -1 with the last error set.
 *
 * Operands are in the order of ln. Both are bytes on Unix and UTF-8 on Windows. `flags` is 0, or POLYLINK_REPLACE: then
 * a file that has the name loses it to the other one in one step. A directory is not replaced (STATUS_ACCESS_DENIED);
 * where both are names of one file already, nothing is to be done. The errors are those of PolylinkCreateHardLinkW.
 *
 * The caller promises that each name is NULL or ends with a zero.
 */
int32_t polylink_link(const char *existing,
                      const char *new_name,
                      uint32_t flags);

/**
 * As polylink_link, with the names in UTF-16.
 *
 * The caller promises that each name is NULL or ends with a zero. They need not be aligned.
 */
int32_t polylink_link_w(const uint16_t *existing, const uint16_t *new_name, uint32_t flags);

/**
 * Opens a file or a directory, to link it or to link into it, and returns STATUS_SUCCESS or what NtOpenFile would.
 *
 * Of a symbolic link the link itself is opened. On Windows `path` is an NT path (`\??\C:\file`) or one as Win32 has
 * it; the handle shares everything and asks for attributes only. On Unix the handle knows the file by its directory,
 * which stays open, and its name there: once the name leads elsewhere, the handle's name counts as deleted. `*file`
 * has to be closed with polylink_file_close; after a failure it is as it was.
 *
 * The caller promises that `file` is NULL or can be written, and that `path` is NULL or ends with a zero. Neither need
 * be aligned.
 */
int32_t POLYLINK_CALL PolylinkNtOpenFile(struct polylink_file **file,
                                         const uint16_t *path);

/**
 * As PolylinkNtOpenFile, with the path in bytes on Unix and in UTF-8 on Windows.
 *
 * The caller promises that `file` is NULL or can be written, and that `path` is NULL or ends with a zero.
 */
int32_t polylink_file_open(struct polylink_file **file, const char *path);

/**
 * Closes a file, and returns STATUS_SUCCESS, or STATUS_INVALID_HANDLE if it is no open handle. Closing NULL does
 * nothing and succeeds.
 */
int32_t polylink_file_close(struct polylink_file *file);

/**
 * Gives an open file a further name: NtSetInformationFile with FILE_LINK_INFORMATION. Returns STATUS_SUCCESS and fills
 * `io_status`; or the status of the failure, which is the last error as well, and leaves it as it was.
 *
 * `information` has `length` bytes and is, by `information_class`, a PolylinkFileLinkInformation (11) or a
 * PolylinkFileLinkInformationEx (72), in the layout of this process. Other classes are STATUS_INVALID_INFO_CLASS, a
 * buffer below the size of the structure is STATUS_INFO_LENGTH_MISMATCH, a FileNameLength that is 0, odd or beyond the
 * buffer is STATUS_INVALID_PARAMETER. RootDirectory is NULL or a polylink_file of a directory, never another handle.
 *
 * On Windows FileName is as NT has it: absolute (`\??\C:\name`), relative to RootDirectory, or a plain name beside the
 * name that `file` was opened by. On Unix it is likewise a path that begins with '/', one relative to RootDirectory
 * (through no symbolic link), or a plain name; UTF-16 becomes UTF-8, and what has none is STATUS_OBJECT_NAME_INVALID.
 *
 * The caller promises that `information` is NULL or leads to `length` bytes, and that `io_status` is NULL or can be
 * written. Neither need be aligned.
 */
int32_t POLYLINK_CALL PolylinkNtSetInformationFile(struct polylink_file *file,
                                                   struct PolylinkIoStatusBlock *io_status,
                                                   const void *information,
                                                   uint32_t length,
                                                   uint32_t information_class);

/**
 * Says how many names the file behind `path` has, and returns 0; or -1 with the last error set.
 *
 * 8.3 twins are not counted. Of a symbolic link the link itself is meant. A directory is an error
 * (STATUS_FILE_IS_A_DIRECTORY).
 *
 * The caller promises that `path` is NULL or ends with a zero, and that `count` is NULL or can be written.
 */
int32_t polylink_link_count(const char *path, uint64_t *count);

/**
 * Finds all names of the file behind `path` and returns 0; or -1 with the last error set.
 *
 * It reads no directories, so it needs a file system that knows the names of a file: NTFS on Windows, btrfs on Linux
 * (as root). Elsewhere only a file with a single name has an answer, and the others are ERROR_NOT_SUPPORTED (50): see
 * polylink_names_open_in. All names are absolute. `*names` has to be closed with polylink_names_close.
 *
 * The caller promises that `path` is NULL or ends with a zero, and that `names` is NULL or can be written.
 */
int32_t polylink_names_open(const char *path,
                            struct polylink_names **names);

/**
 * As polylink_names_open, with the path in UTF-16.
 *
 * The caller promises that `path` is NULL or ends with a zero, and that `names` is NULL or can be written.
 */
int32_t polylink_names_open_w(const uint16_t *path, struct polylink_names **names);

/**
 * Finds the names of the file behind `path` below `count` directories, by reading them, and returns 0; or -1 with the
 * last error set.
 *
 * It stops as soon as it has as many names as the file has; polylink_names_complete tells whether it has. What
 * cannot be read below the directories is left out, other file systems below them too. Names begin with the path of
 * their directory as it was given. `*names` has to be closed with polylink_names_close.
 *
 * The caller promises that `path` is NULL or ends with a zero, that `directories` is NULL or leads to `count` such
 * strings, and that `names` is NULL or can be written.
 */
int32_t polylink_names_open_in(const char *path,
                               const char *const *directories,
                               size_t count,
                               struct polylink_names **names);

/**
 * Writes the next name into `buffer`, in UTF-8, and returns 0; or -1 with the last error set.
 *
 * `*length` is how many bytes `buffer` has room for, and becomes how many the name takes; both count the terminating
 * zero. Where there is not enough room the error is ERROR_MORE_DATA (234), `*length` says how much is needed, and the
 * same name comes again. `buffer` may be NULL if `*length` is 0. Behind the last name the error is ERROR_HANDLE_EOF
 * (38), as with FindNextFileNameW.
 *
 * On Unix the bytes are the file system's own; on Windows lone surrogates come as in WTF-8, which polylink takes back.
 *
 * The caller promises that `buffer` has room for `*length` bytes, and that `length` is NULL or can be written.
 */
int32_t polylink_names_next(struct polylink_names *names,
                            char *buffer,
                            size_t *length);

/**
 * As polylink_names_next, in UTF-16; `*length` counts units of 16 bits.
 *
 * On Unix a name that is not text has no such form: the error is ERROR_NO_UNICODE_TRANSLATION (1113), and
 * polylink_names_next gives the name.
 *
 * The caller promises that `buffer` has room for `*length` units, and that `length` is NULL or can be written.
 */
int32_t polylink_names_next_w(struct polylink_names *names,
                              uint16_t *buffer,
                              size_t *length);

/**
 * Whether these are all names of the file: 1 if so, 0 if there are others that were not found, -1 with the last error
 * set if `names` is no open handle.
 */
int32_t polylink_names_complete(struct polylink_names *names);

/**
 * Ends going through names, and returns 0; or -1 with the last error set if `names` is no open handle. Closing NULL
 * does nothing and succeeds.
 */
int32_t polylink_names_close(struct polylink_names *names);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* POLYLINK_H */
