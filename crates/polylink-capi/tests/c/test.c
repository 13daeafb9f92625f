/*
 * polylink.h as a C program sees it, on Unix and on Windows.
 *
 * Usage: test DIRECTORY [OTHER]. It works in that directory, which should be empty, and leaves its files there. OTHER
 * is a directory on another file system. It says what does not hold, with the line, and exits with 1 if anything does
 * not.
 */

#ifdef _WIN32
#include <windows.h>
#endif

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "polylink.h"

static int checks;
static int failures;

static void check(int truth, const char *text, int line) {
    checks++;
    if (!truth) {
        char message[512];
        failures++;
        polylink_last_error_message(message, sizeof message);
        printf("%s:%d: does not hold: %s (last error %lu, status 0x%08lX, errno %d: %s)\n", __FILE__, line, text,
               (unsigned long)polylink_last_error(), (unsigned long)(uint32_t)polylink_last_error_status(),
               polylink_last_error_errno(), message);
    }
}

#define CHECK(truth) check((truth) != 0, #truth, __LINE__)

/* Names */

static char folder[600];

#ifdef _WIN32
#define SLASH "\\"
#else
#define SLASH "/"
#endif

/* A path below the folder of the test; the last eight stay valid. */
static const char *at(const char *name) {
    static char paths[8][900];
    static int next;
    char *path = paths[next++ % 8];
    sprintf(path, "%s%s%s", folder, SLASH, name);
    return path;
}

/* ASCII as UTF-16; the last eight stay valid. */
static const uint16_t *wide(const char *text) {
    static uint16_t texts[8][1000];
    static int next;
    uint16_t *units = texts[next++ % 8];
    size_t i = 0;
    do {
        units[i] = (unsigned char)text[i];
    } while (text[i++] != 0);
    return units;
}

static void make_file(const char *name, const char *content) {
    FILE *file = fopen(at(name), "wb");
    if (file == NULL || fputs(content, file) < 0 || fclose(file) != 0) {
        printf("cannot make %s\n", at(name));
        exit(2);
    }
}

static int holds(const char *name, const char *content) {
    char there[64] = {0};
    FILE *file = fopen(at(name), "rb");
    size_t length;
    if (file == NULL) {
        return 0;
    }
    length = fread(there, 1, sizeof there - 1, file);
    fclose(file);
    return length == strlen(content) && memcmp(there, content, length) == 0;
}

static int exists(const char *name) {
    FILE *file = fopen(at(name), "rb");
    if (file == NULL) {
        return 0;
    }
    fclose(file);
    return 1;
}

#ifdef _WIN32
static void make_directory(const char *name) {
    if (!CreateDirectoryA(at(name), NULL)) {
        printf("cannot make %s\n", at(name));
        exit(2);
    }
}
#else
/* As POSIX declares it; C99 alone has no header for it. */
int mkdir(const char *path, unsigned int mode);
static void make_directory(const char *name) {
    if (mkdir(at(name), 0755) != 0) {
        printf("cannot make %s\n", at(name));
        exit(2);
    }
}
#endif

static uint64_t links(const char *name) {
    uint64_t count = 0;
    return polylink_link_count(at(name), &count) == 0 ? count : 0;
}

/* Whether the last error is this Win32 code, in every form. */
static int last_is(uint32_t win32) {
#ifdef _WIN32
    /* asked for first: other calls change it */
    if (GetLastError() != win32) {
        printf("GetLastError() is %lu, not %lu\n", GetLastError(), (unsigned long)win32);
        return 0;
    }
#endif
    if (polylink_last_error() != win32) {
        return 0;
    }
    if (polylink_last_error_errno() == 0 || polylink_last_error_message(NULL, 0) == 0) {
        return 0;
    }
    return polylink_last_error_status() == 0 || polylink_status_to_win32(polylink_last_error_status()) == win32;
}

/* CreateHardLink */

static int create_w(const char *new_name, const char *existing) {
    return PolylinkCreateHardLinkW(wide(at(new_name)), wide(at(existing)), NULL);
}

static int create_a(const char *new_name, const char *existing) {
    return PolylinkCreateHardLinkA(at(new_name), at(existing), NULL);
}

static void test_create(void) {
    int (*const forms[2])(const char *, const char *) = {create_w, create_a};
    int form;
    make_file("source", "one");
    make_file("other", "two");
    make_directory("directory");
    for (form = 0; form < 2; form++) {
        int (*create)(const char *, const char *) = forms[form];
        const char *link = form == 0 ? "link-w" : "link-a";
        CHECK(create(link, "source") == 1);
        CHECK(holds(link, "one"));
        CHECK(links("source") == (uint64_t)(form + 2));

        CHECK(create("other", "source") == 0 && last_is(183));
        CHECK(create("directory", "source") == 0 && last_is(183));
        CHECK(create("source", "source") == 0 && last_is(183));
        CHECK(create("new", "directory") == 0 && last_is(5));
        CHECK(create("other", "directory") == 0 && last_is(5));
        CHECK(create("new", "missing") == 0 && last_is(2));
        CHECK(create("new", "missing/source") == 0 && last_is(3));
        CHECK(create("missing/new", "source") == 0 && last_is(3));
        CHECK(create("missing/new", "missing") == 0 && last_is(2));
        CHECK(holds("other", "two") && links("other") == 1);
        CHECK(!exists("new"));
    }
    CHECK(PolylinkCreateHardLinkW(NULL, wide(at("source")), NULL) == 0 && last_is(87));
    CHECK(PolylinkCreateHardLinkW(wide(at("new")), NULL, NULL) == 0 && last_is(87));
    CHECK(PolylinkCreateHardLinkW(NULL, NULL, NULL) == 0 && last_is(87));
    CHECK(PolylinkCreateHardLinkW(wide(at("new")), wide(at("source")), &checks) == 0 && last_is(87));
    CHECK(PolylinkCreateHardLinkA(NULL, at("source"), NULL) == 0 && last_is(87));
    CHECK(PolylinkCreateHardLinkA(at("new"), NULL, NULL) == 0 && last_is(87));
    CHECK(PolylinkCreateHardLinkA(at("new"), at("source"), &checks) == 0 && last_is(87));
    CHECK(PolylinkCreateHardLinkW(wide(at("new")), wide(""), NULL) == 0 && last_is(3));
    CHECK(PolylinkCreateHardLinkW(wide(""), wide(at("source")), NULL) == 0 && last_is(3));
    CHECK(PolylinkCreateHardLinkA(at("new"), "", NULL) == 0 && last_is(3));
    CHECK(!exists("new"));
}

/* As ln */

static void test_link(void) {
    make_file("ln-a", "a");
    make_file("ln-b", "b");
    CHECK(polylink_link(at("ln-a"), at("ln-c"), 0) == 0);
    CHECK(holds("ln-c", "a") && links("ln-a") == 2);
    CHECK(polylink_link(at("ln-a"), at("ln-b"), 0) == -1 && last_is(183));
    CHECK(polylink_last_error_errno() == EEXIST);
    CHECK(holds("ln-b", "b"));
    CHECK(polylink_link(at("ln-a"), at("ln-b"), POLYLINK_REPLACE) == 0);
    CHECK(holds("ln-b", "a") && links("ln-a") == 3);
    CHECK(polylink_link(at("ln-a"), at("ln-b"), POLYLINK_REPLACE) == 0);
    CHECK(links("ln-a") == 3);
    CHECK(polylink_link_w(wide(at("ln-a")), wide(at("ln-d")), 0) == 0);
    CHECK(links("ln-d") == 4);
    CHECK(polylink_link(at("ln-a"), at("directory"), POLYLINK_REPLACE) == -1 && last_is(5));
    CHECK(polylink_link(at("directory"), at("ln-e"), POLYLINK_REPLACE) == -1 && last_is(5));
    CHECK(polylink_link(at("ln-a"), at("ln-e"), 0x80) == -1 && last_is(87));
    CHECK(polylink_link(NULL, at("ln-e"), 0) == -1 && last_is(87));
    CHECK(polylink_link(at("ln-a"), NULL, 0) == -1 && last_is(87));
    CHECK(polylink_link_w(NULL, NULL, 0) == -1 && last_is(87));
    CHECK(polylink_link(at("missing"), at("ln-e"), 0) == -1 && last_is(2));
    CHECK(polylink_last_error_errno() == ENOENT);
}

/* NtSetInformationFile */

typedef union {
    PolylinkFileLinkInformation classic;
    PolylinkFileLinkInformationEx extended;
    uint8_t bytes[2048];
} Information;

/* Fills in the name, and returns the length of the buffer. */
static uint32_t put_name(Information *information, const char *name) {
    uint8_t *to = information->bytes + offsetof(PolylinkFileLinkInformation, FileName);
    size_t length = strlen(name);
    uint32_t needed;
    memcpy(to, wide(name), 2 * length);
    information->classic.FileNameLength = (uint32_t)(2 * length);
    needed = (uint32_t)(offsetof(PolylinkFileLinkInformation, FileName) + 2 * length);
    return needed < sizeof(PolylinkFileLinkInformation) ? (uint32_t)sizeof(PolylinkFileLinkInformation) : needed;
}

/* An absolute name as the native call wants it. */
static const char *absolute(const char *name) {
#ifdef _WIN32
    static char path[900];
    sprintf(path, "\\??\\%s", at(name));
    return path;
#else
    return at(name);
#endif
}

static int32_t set_link(polylink_file *file, int replace, polylink_file *root, const char *name) {
    Information information;
    PolylinkIoStatusBlock block = {0x5EADBEEF, 0x77};
    int32_t status;
    uint32_t length;
    memset(&information, 0xEE, sizeof information);
    information.classic.ReplaceIfExists = (uint8_t)replace;
    information.classic.RootDirectory = root;
    length = put_name(&information, name);
    status = PolylinkNtSetInformationFile(file, &block, &information, length, POLYLINK_FILE_LINK_INFORMATION);
    if (status == POLYLINK_STATUS_SUCCESS) {
        CHECK(block.Status == 0 && block.Information == 0);
    } else {
        CHECK(block.Status == 0x5EADBEEF && block.Information == 0x77);
        CHECK(polylink_last_error_status() == status);
    }
    return status;
}

static void test_native(void) {
    polylink_file *file = NULL;
    polylink_file *directory = NULL;
    polylink_file *untouched = (polylink_file *)&checks;
    PolylinkIoStatusBlock block = {1, 2};
    Information information;
    uint32_t length;

    CHECK(sizeof(PolylinkFileLinkInformation) == (sizeof(void *) == 8 ? 24 : 16));
    CHECK(sizeof(PolylinkFileLinkInformationEx) == sizeof(PolylinkFileLinkInformation));
    CHECK(offsetof(PolylinkFileLinkInformation, FileName) == (sizeof(void *) == 8 ? 20 : 12));
    CHECK(offsetof(PolylinkFileLinkInformationEx, FileName) == offsetof(PolylinkFileLinkInformation, FileName));

    make_file("nt-a", "a");
    make_file("nt-b", "b");
    make_directory("nt-dir");
    CHECK(PolylinkNtOpenFile(&file, wide(at("nt-a"))) == POLYLINK_STATUS_SUCCESS && file != NULL);
    CHECK(polylink_file_open(&directory, at("nt-dir")) == POLYLINK_STATUS_SUCCESS && directory != NULL);
    CHECK(polylink_file_open(&untouched, at("missing")) == POLYLINK_STATUS_OBJECT_NAME_NOT_FOUND);
    CHECK(untouched == (polylink_file *)&checks);
    CHECK(polylink_file_open(NULL, at("nt-a")) == POLYLINK_STATUS_INVALID_PARAMETER);
    CHECK(polylink_file_open(&untouched, NULL) == POLYLINK_STATUS_INVALID_PARAMETER);
    CHECK(PolylinkNtOpenFile(NULL, wide(at("nt-a"))) == POLYLINK_STATUS_INVALID_PARAMETER);

    /* each way to say where the new name stands */
    CHECK(set_link(file, 0, NULL, absolute("nt-absolute")) == POLYLINK_STATUS_SUCCESS);
    CHECK(set_link(file, 0, directory, "r") == POLYLINK_STATUS_SUCCESS);
    CHECK(holds("nt-absolute", "a"));
    CHECK(holds("nt-dir" SLASH "r", "a"));
    CHECK(links("nt-a") == 3);
#ifndef _WIN32 /* Wine takes no plain names */
    CHECK(set_link(file, 0, NULL, "p") == POLYLINK_STATUS_SUCCESS);
    CHECK(holds("p", "a") && links("nt-a") == 4);
#endif

    /* what stands there */
    CHECK(set_link(file, 0, NULL, absolute("nt-b")) == POLYLINK_STATUS_OBJECT_NAME_COLLISION);
    CHECK(set_link(file, 0, directory, "r") == POLYLINK_STATUS_OBJECT_NAME_COLLISION);
    CHECK(holds("nt-b", "b"));
    CHECK(set_link(file, 1, NULL, absolute("nt-b")) == POLYLINK_STATUS_SUCCESS);
    CHECK(holds("nt-b", "a"));
    CHECK(set_link(file, 1, NULL, absolute("nt-dir")) == POLYLINK_STATUS_ACCESS_DENIED);
    CHECK(set_link(directory, 0, NULL, absolute("nt-c")) == POLYLINK_STATUS_FILE_IS_A_DIRECTORY);
    CHECK(set_link(directory, 1, NULL, absolute("nt-b")) == POLYLINK_STATUS_FILE_IS_A_DIRECTORY);
    CHECK(set_link(file, 0, NULL, absolute("missing" SLASH "c")) == POLYLINK_STATUS_OBJECT_PATH_NOT_FOUND);

    /* the extended form */
    make_file("nt-c", "c");
    memset(&information, 0, sizeof information);
    length = put_name(&information, "r");
    information.extended.RootDirectory = directory;
    information.extended.Flags = 0;
#ifdef _WIN32 /* not known to every Windows, nor to every Wine */
    if (PolylinkNtSetInformationFile(file, &block, &information, length, POLYLINK_FILE_LINK_INFORMATION_EX) ==
        POLYLINK_STATUS_OBJECT_NAME_COLLISION)
#endif
    {
        CHECK(PolylinkNtSetInformationFile(file, &block, &information, length, POLYLINK_FILE_LINK_INFORMATION_EX) ==
              POLYLINK_STATUS_OBJECT_NAME_COLLISION);
        information.extended.Flags = POLYLINK_FILE_LINK_REPLACE_IF_EXISTS;
        CHECK(PolylinkNtSetInformationFile(file, &block, &information, length, POLYLINK_FILE_LINK_INFORMATION_EX) ==
              POLYLINK_STATUS_SUCCESS);
        CHECK(block.Status == 0 && block.Information == 0);
    }

    /* what is no request */
    memset(&information, 0, sizeof information);
    length = put_name(&information, "n");
    information.classic.RootDirectory = directory;
    CHECK(length == sizeof(PolylinkFileLinkInformation));
    block.Status = 77;
    CHECK(PolylinkNtSetInformationFile(file, &block, &information, length - 1, 11) ==
          POLYLINK_STATUS_INFO_LENGTH_MISMATCH);
    CHECK(polylink_last_error() == 24);
    CHECK(PolylinkNtSetInformationFile(file, &block, &information, 0, 11) == POLYLINK_STATUS_INFO_LENGTH_MISMATCH);
    CHECK(PolylinkNtSetInformationFile(file, &block, &information, length, 10) == POLYLINK_STATUS_INVALID_INFO_CLASS);
    CHECK(PolylinkNtSetInformationFile(file, &block, &information, length, 0) == POLYLINK_STATUS_INVALID_INFO_CLASS);
    CHECK(PolylinkNtSetInformationFile(file, &block, NULL, length, 11) == POLYLINK_STATUS_INVALID_PARAMETER);
    CHECK(PolylinkNtSetInformationFile(file, NULL, &information, length, 11) == POLYLINK_STATUS_INVALID_PARAMETER);
    CHECK(PolylinkNtSetInformationFile(NULL, &block, &information, length, 11) == POLYLINK_STATUS_INVALID_HANDLE);
    CHECK(PolylinkNtSetInformationFile(untouched, &block, &information, length, 11) == POLYLINK_STATUS_INVALID_HANDLE);
    information.classic.FileNameLength = 1;
    CHECK(PolylinkNtSetInformationFile(file, &block, &information, length, 11) == POLYLINK_STATUS_INVALID_PARAMETER);
    information.classic.FileNameLength = 0;
    CHECK(PolylinkNtSetInformationFile(file, &block, &information, length, 11) == POLYLINK_STATUS_INVALID_PARAMETER);
    information.classic.FileNameLength = 0xFFFFFFFE;
    CHECK(PolylinkNtSetInformationFile(file, &block, &information, length, 11) == POLYLINK_STATUS_INVALID_PARAMETER);
    information.classic.FileNameLength = 2;
    information.classic.RootDirectory = untouched;
    CHECK(PolylinkNtSetInformationFile(file, &block, &information, length, 11) == POLYLINK_STATUS_INVALID_HANDLE);
    CHECK(block.Status == 77);
    CHECK(!exists("nt-dir" SLASH "n"));

    CHECK(polylink_file_close(file) == POLYLINK_STATUS_SUCCESS);
    CHECK(polylink_file_close(file) == POLYLINK_STATUS_INVALID_HANDLE);
    CHECK(set_link(file, 0, NULL, absolute("nt-d")) == POLYLINK_STATUS_INVALID_HANDLE);
    CHECK(polylink_file_close(directory) == POLYLINK_STATUS_SUCCESS);
    CHECK(polylink_file_close(NULL) == POLYLINK_STATUS_SUCCESS);
}

/* Names of a file */

static int ends_with(const char *text, const char *end) {
    size_t length = strlen(text);
    size_t tail = strlen(end);
    return length >= tail && strcmp(text + length - tail, end) == 0;
}

static void test_names(void) {
    polylink_names *names = NULL;
    const char *directories[1];
    char buffer[1024];
    uint16_t units[1024];
    size_t length = 0;
    size_t needed;
    uint64_t count = 99;
    make_directory("names");
    make_file("names" SLASH "a", "a");
    CHECK(polylink_link(at("names" SLASH "a"), at("names" SLASH "b"), 0) == 0);
    CHECK(polylink_link_count(at("names" SLASH "a"), &count) == 0 && count == 2);
    CHECK(polylink_link_count(at("missing"), &count) == -1 && last_is(2));
    CHECK(polylink_link_count(at("names"), &count) == -1 && last_is(5));
    CHECK(polylink_link_count(NULL, &count) == -1 && last_is(87));
    CHECK(polylink_link_count(at("names" SLASH "a"), NULL) == -1 && last_is(87));
    CHECK(count == 2);

    directories[0] = at("names");
    CHECK(polylink_names_open_in(at("names" SLASH "a"), directories, 1, &names) == 0);
    CHECK(polylink_names_next(names, NULL, &length) == -1 && last_is(234));
    needed = strlen(directories[0]) + 3;
    CHECK(length == needed);
    length = needed - 1;
    CHECK(polylink_names_next(names, buffer, &length) == -1 && last_is(234));
    CHECK(length == needed);
    buffer[needed] = '#';
    CHECK(polylink_names_next(names, buffer, &length) == 0);
    CHECK(length == needed && buffer[needed] == '#' && ends_with(buffer, SLASH "a"));
    length = sizeof units / sizeof *units;
    CHECK(polylink_names_next_w(names, units, &length) == 0);
    CHECK(length == needed && units[needed - 2] == 'b' && units[needed - 1] == 0);
    CHECK(polylink_names_next(names, buffer, &length) == -1 && last_is(38));
    CHECK(polylink_names_next_w(names, units, &length) == -1 && last_is(38));
    CHECK(polylink_names_complete(names) == 1);
    CHECK(polylink_names_next(names, buffer, NULL) == -1);
    CHECK(polylink_names_next(NULL, buffer, &length) == -1 && last_is(6));
    CHECK(polylink_names_close(names) == 0);
    CHECK(polylink_names_close(names) == -1 && last_is(6));
    CHECK(polylink_names_close(NULL) == 0);
    CHECK(polylink_names_complete(names) == -1 && last_is(6));

    make_file("names" SLASH "single", "s");
    CHECK(polylink_names_open(at("names" SLASH "single"), &names) == 0);
    length = sizeof buffer;
    CHECK(polylink_names_next(names, buffer, &length) == 0 && ends_with(buffer, "names" SLASH "single"));
    CHECK(polylink_names_close(names) == 0);
    CHECK(polylink_names_open_w(wide(at("names" SLASH "single")), &names) == 0);
    CHECK(polylink_names_close(names) == 0);
    CHECK(polylink_names_open(at("missing"), &names) == -1 && last_is(2));
    CHECK(polylink_names_open(NULL, &names) == -1 && last_is(87));
    CHECK(polylink_names_open(at("names" SLASH "a"), NULL) == -1 && last_is(87));
    CHECK(polylink_names_open_in(at("names" SLASH "a"), NULL, 1, &names) == -1 && last_is(87));
    CHECK(polylink_names_open_in(at("names" SLASH "a"), directories, 0, &names) == -1 && last_is(87));
}

/* Errors, statuses, version */

static void test_errors(void) {
    char message[200];
    char small[8];
    size_t length;
    CHECK(polylink_link(at("missing"), at("new"), 0) == -1);
    CHECK(polylink_last_error_status() == POLYLINK_STATUS_OBJECT_NAME_NOT_FOUND || polylink_last_error_status() == 0);
    length = polylink_last_error_message(message, sizeof message);
    CHECK(length > 20);
    CHECK(strstr(message, "cannot") != NULL);
    memset(small, '#', sizeof small);
    CHECK(polylink_last_error_message(small, 5) == length);
    CHECK(strlen(small) == 4 && small[5] == '#' && memcmp(small, message, 4) == 0);
    CHECK(polylink_last_error_message(NULL, 0) == length);
    CHECK(polylink_last_error_message(NULL, 5) == length);
    /* what succeeds changes nothing */
    make_file("errors", "e");
    CHECK(polylink_link(at("errors"), at("errors-2"), 0) == 0);
    CHECK(polylink_last_error() == 2);

    CHECK(polylink_status_to_win32(POLYLINK_STATUS_SUCCESS) == 0);
    CHECK(polylink_status_to_win32(POLYLINK_STATUS_OBJECT_NAME_COLLISION) == 183);
    CHECK(polylink_status_to_win32(POLYLINK_STATUS_TOO_MANY_LINKS) == 1142);
    CHECK(polylink_status_to_win32(POLYLINK_STATUS_FILE_IS_A_DIRECTORY) == 5);
    CHECK(polylink_status_to_win32(POLYLINK_STATUS_UNSUCCESSFUL) == 31);
    CHECK(polylink_status_to_win32((int32_t)0xC000FFFF) == 317);
    CHECK(polylink_status_to_errno(POLYLINK_STATUS_SUCCESS) == 0);
    CHECK(polylink_status_to_errno(POLYLINK_STATUS_OBJECT_NAME_COLLISION) == EEXIST);
    CHECK(polylink_status_to_errno(POLYLINK_STATUS_NOT_SAME_DEVICE) == EXDEV);
    CHECK(polylink_status_to_errno(POLYLINK_STATUS_TOO_MANY_LINKS) == EMLINK);
    CHECK(polylink_status_to_errno(POLYLINK_STATUS_FILE_IS_A_DIRECTORY) == EISDIR);
    CHECK(polylink_status_to_errno(POLYLINK_STATUS_ACCESS_DENIED) == EACCES);
    CHECK(polylink_status_to_errno(POLYLINK_STATUS_DISK_FULL) == ENOSPC);
    CHECK(polylink_status_to_errno(POLYLINK_STATUS_MEDIA_WRITE_PROTECTED) == EROFS);
    CHECK(polylink_status_to_errno(POLYLINK_STATUS_NAME_TOO_LONG) == ENAMETOOLONG);
    CHECK(polylink_status_to_errno(POLYLINK_STATUS_DIRECTORY_NOT_EMPTY) == ENOTEMPTY);
    CHECK(polylink_status_to_errno(POLYLINK_STATUS_NOT_SUPPORTED) == EOPNOTSUPP);
    CHECK(polylink_status_to_errno(POLYLINK_STATUS_SHARING_VIOLATION) == EBUSY);
    CHECK(polylink_status_to_errno(POLYLINK_STATUS_REPARSE_POINT_NOT_RESOLVED) == ELOOP);
    CHECK(polylink_status_to_errno(POLYLINK_STATUS_UNMAPPABLE_CHARACTER) == EILSEQ);
    CHECK(polylink_status_to_errno(POLYLINK_STATUS_INVALID_PARAMETER) == EINVAL);
    CHECK(polylink_status_to_errno(POLYLINK_STATUS_INVALID_HANDLE) == EBADF);
    CHECK(polylink_status_to_errno((int32_t)0xC000FFFF) == EIO);
    CHECK(strcmp(polylink_status_name(POLYLINK_STATUS_TOO_MANY_LINKS), "STATUS_TOO_MANY_LINKS") == 0);
    CHECK(strcmp(polylink_status_name(POLYLINK_STATUS_UNSUCCESSFUL), "STATUS_UNSUCCESSFUL") == 0);
    CHECK(polylink_status_name((int32_t)0xC000FFFF) == NULL);
    CHECK(strcmp(polylink_status_text(POLYLINK_STATUS_FILE_IS_A_DIRECTORY), "the file is a directory") == 0);
    CHECK(strlen(polylink_status_text((int32_t)0xC000FFFF)) > 0);

    CHECK(strcmp(polylink_version(), POLYLINK_VERSION) == 0);
    sprintf(message, "%d.%d.%d", POLYLINK_VERSION_MAJOR, POLYLINK_VERSION_MINOR, POLYLINK_VERSION_PATCH);
    CHECK(strcmp(polylink_version(), message) == 0);
}

/* Another file system */

static void test_other(const char *other) {
    char path[1000];
    polylink_file *file = NULL;
    polylink_file *root = NULL;
    sprintf(path, "%s%s%s", other, SLASH, "new");
    make_file("here", "h");
    CHECK(PolylinkCreateHardLinkW(wide(path), wide(at("here")), NULL) == 0 && last_is(17));
    CHECK(PolylinkCreateHardLinkA(path, at("here"), NULL) == 0 && last_is(17));
    CHECK(PolylinkCreateHardLinkA(path, at("missing"), NULL) == 0 && last_is(2));
    CHECK(polylink_link(at("here"), path, 0) == -1 && last_is(17));
    CHECK(polylink_last_error_errno() == EXDEV);
    CHECK(polylink_link(at("here"), path, POLYLINK_REPLACE) == -1 && last_is(17));
    CHECK(polylink_file_open(&file, at("here")) == POLYLINK_STATUS_SUCCESS);
    CHECK(polylink_file_open(&root, other) == POLYLINK_STATUS_SUCCESS);
    CHECK(set_link(file, 0, root, "new") == POLYLINK_STATUS_NOT_SAME_DEVICE);
    CHECK(set_link(file, 1, root, "new") == POLYLINK_STATUS_NOT_SAME_DEVICE);
    CHECK(polylink_file_close(root) == POLYLINK_STATUS_SUCCESS);
    CHECK(polylink_file_close(file) == POLYLINK_STATUS_SUCCESS);
    CHECK(links("here") == 1);
}

int main(int argc, char **argv) {
    if (argc < 2 || argc > 3 || strlen(argv[1]) >= sizeof folder || strlen(argv[argc - 1]) >= sizeof folder) {
        printf("usage: test DIRECTORY [OTHER]\n");
        return 2;
    }
    strcpy(folder, argv[1]);
    CHECK(polylink_last_error() == 0 && polylink_last_error_status() == 0 && polylink_last_error_errno() == 0);
    CHECK(polylink_last_error_message(NULL, 0) == 0);
    test_create();
    test_link();
    test_native();
    test_names();
    test_errors();
    if (argc == 3) {
        test_other(argv[2]);
    }
    printf("%d checks, %d failures\n", checks, failures);
    return failures == 0 ? 0 : 1;
}
