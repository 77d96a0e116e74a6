/* File faults for the unmodified program. Loaded before libc (LD_PRELOAD), it counts every change that the program, SQLite
 * and DuckDB make to files below one folder, logs each, and makes one of them fail.
 *
 * Environment (read once, at the start):
 *   FAULTS_ROOT   folder whose files are watched, canonical
 *   FAULTS_LOG    file that gets one line an operation: number, kind, path [-> path]; outside the folder
 *   FAULTS_TRACE  file that gets every operation that was done: a line of kind, path, new path, offset or size, and length,
 *                 separated by tabs, then the bytes of a write; outside the folder
 *   FAULTS_ACT    kill | kill-after | kill-mid-write | short | fail | power-cut | power-cut-log; unset: only the log is written
 *   FAULTS_AT     number of the matching operation, from 1
 *   FAULTS_KINDS  comma-separated kinds that match; unset: all
 *   FAULTS_PATH   text that the path must contain; unset: any path
 *   FAULTS_ERRNO  error number that `fail` and `short` return
 *   FAULTS_NO_MODES  set: changing a mode fails, as on a file system without modes; neither counted nor logged
 *   FAULTS_NO_SYNC  text of the paths whose syncs do nothing, as in a program that leaves them out
 *   FAULTS_ONCE   1: `fail` affects one operation; else it and every later matching one
 *
 * kill            the process is killed before the operation
 * kill-after      the process is killed right after it
 * kill-mid-write  half of the bytes are written, then the process is killed (other operations: like kill)
 * short           half of the bytes are written and the call returns that; every later match fails, as on a full disk
 * fail            the operation is not done and returns the error
 * power-cut       the file system is shut down before the operation without flushing its journal, and the process is killed; if
 *                 the process ends before, and FAULTS_PATH is unset, the power fails as it ends
 * power-cut-log   the same with the journal flushed: names survive, bytes that were not synced do not
 *
 * Reads, opens for reading and stores into mapped memory are not seen. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#ifndef FICLONE
#define FICLONE 0x40049409
#endif

/* Of ext4, xfs and others, with what becomes of the journal. */
#define FS_IOC_SHUTDOWN 0x8004587d
enum { LOG_FLUSHED = 1, LOG_NOT_FLUSHED = 2 };

enum action { NONE, KILL, KILL_AFTER, KILL_MID_WRITE, SHORT, FAIL, POWER_CUT, POWER_CUT_LOG };
/* What an operation does: run, return an error (errno is set), half and then die, half, run and then die. */
enum effect { RUN, REFUSE, HALF_AND_DIE, HALF, RUN_AND_DIE };

static char root[PATH_MAX];
static size_t root_length;
static int log_fd = -1, trace_fd = -1;
static enum action action;
static long at, error_number;
static int once, no_modes;
static int power_fd = -1;
static const char *kinds, *path_part, *no_sync;
static atomic_long operations, matches;

__attribute__((constructor)) static void begin(void) {
    const char *text = getenv("FAULTS_ROOT");
    if (!text || strlen(text) >= sizeof root) return;
    strcpy(root, text);
    root_length = strlen(root);
    if ((text = getenv("FAULTS_LOG")))
        log_fd = (int)syscall(SYS_openat, AT_FDCWD, text, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if ((text = getenv("FAULTS_TRACE")))
        trace_fd = (int)syscall(SYS_openat, AT_FDCWD, text, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if ((text = getenv("FAULTS_AT"))) at = atol(text);
    if ((text = getenv("FAULTS_ERRNO"))) error_number = atol(text);
    once = (text = getenv("FAULTS_ONCE")) && *text == '1';
    no_modes = getenv("FAULTS_NO_MODES") != NULL;
    kinds = getenv("FAULTS_KINDS");
    path_part = getenv("FAULTS_PATH");
    no_sync = getenv("FAULTS_NO_SYNC");
    if ((text = getenv("FAULTS_ACT")))
        action = !strcmp(text, "kill") ? KILL : !strcmp(text, "kill-after") ? KILL_AFTER : !strcmp(text, "kill-mid-write") ? KILL_MID_WRITE
            : !strcmp(text, "short") ? SHORT : !strcmp(text, "fail") ? FAIL
            : !strcmp(text, "power-cut") ? POWER_CUT : !strcmp(text, "power-cut-log") ? POWER_CUT_LOG : NONE;
    if (action == POWER_CUT || action == POWER_CUT_LOG) {
        /* The folder itself need not exist yet. */
        char parent[PATH_MAX];
        strcpy(parent, root);
        *strrchr(parent, '/') = 0;
        power_fd = (int)syscall(SYS_openat, AT_FDCWD, parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    }
}

static void cut_power(void) {
    static const char failed[] = "fault_injection: the file system cannot be shut down\n";
    uint32_t log = action == POWER_CUT ? LOG_NOT_FLUSHED : LOG_FLUSHED;
    if (syscall(SYS_ioctl, power_fd, FS_IOC_SHUTDOWN, &log) == 0) return;
    syscall(SYS_write, 2, failed, sizeof failed - 1);
    _exit(125);
}

__attribute__((destructor)) static void end(void) {
    if ((action == POWER_CUT || action == POWER_CUT_LOG) && !path_part && atomic_load(&matches) < at) cut_power();
}

static void die(void) {
    syscall(SYS_kill, getpid(), SIGKILL);
    for (;;) pause();
}

static int is_kind(const char *kind) {
    size_t length = strlen(kind);
    if (!kinds) return 1;
    for (const char *found = kinds; (found = strstr(found, kind)); found += length)
        if ((found == kinds || found[-1] == ',') && (!found[length] || found[length] == ',')) return 1;
    return 0;
}

static int is_below(const char *path) {
    return root_length && !strncmp(path, root, root_length) && (path[root_length] == '/' || !path[root_length]);
}

/* Counts and logs an operation, and decides what it does. Uses system calls, so that it is not intercepted itself. */
static enum effect decide(const char *kind, const char *path, const char *to) {
    int saved = errno;
    long number = atomic_fetch_add(&operations, 1) + 1;
    if (log_fd >= 0) {
        char line[2 * PATH_MAX + 64];
        int length = snprintf(line, sizeof line, "%ld %s %s%s%s\n", number, kind, path, to ? " -> " : "", to ? to : "");
        if (length > 0) syscall(SYS_write, log_fd, line, (size_t)length);
    }
    errno = saved;
    if (action == NONE || !is_kind(kind)) return RUN;
    if (path_part && !strstr(path, path_part) && !(to && strstr(to, path_part))) return RUN;
    long match = atomic_fetch_add(&matches, 1) + 1;
    if (match < at || (match > at && (once || (action != FAIL && action != SHORT)))) return RUN;
    switch (action) {
    case KILL: die(); break;
    case KILL_AFTER: return RUN_AND_DIE;
    case KILL_MID_WRITE: return HALF_AND_DIE;
    case SHORT: if (match == at) return HALF; break;
    case POWER_CUT: case POWER_CUT_LOG: cut_power(); die(); break;
    default: break;
    }
    errno = (int)error_number;
    return REFUSE;
}

/* Whether an open file has a path, which goes to `path`. */
static int path_of(int fd, char *path) {
    char link[48];
    int saved = errno;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = syscall(SYS_readlinkat, AT_FDCWD, link, path, PATH_MAX - 1);
    errno = saved;
    if (length <= 0) return 0;
    path[length] = 0;
    return 1;
}

static enum effect decide_fd(const char *kind, int fd) {
    char path[PATH_MAX];
    return path_of(fd, path) && is_below(path) ? decide(kind, path, NULL) : RUN;
}

static int is_left_out(int fd) {
    char path[PATH_MAX];
    return no_sync && path_of(fd, path) && is_below(path) && strstr(path + root_length, no_sync);
}

/* The absolute path of `path` relative to `dir`, in `full`; links in it are not followed. */
static const char *full_path(int dir, const char *path, char *full) {
    char link[48];
    ssize_t length = 0;
    int saved = errno;
    if (path[0] == '/') return path;
    if (dir == AT_FDCWD) snprintf(link, sizeof link, "/proc/self/cwd");
    else snprintf(link, sizeof link, "/proc/self/fd/%d", dir);
    length = syscall(SYS_readlinkat, AT_FDCWD, link, full, PATH_MAX - 1);
    errno = saved;
    if (length < 0) return path;
    snprintf(full + length, (size_t)(PATH_MAX - length), "/%s", path);
    return full;
}

static enum effect decide_path(const char *kind, int dir, const char *path) {
    char full[PATH_MAX];
    const char *name = full_path(dir, path, full);
    return is_below(name) ? decide(kind, name, NULL) : RUN;
}

static enum effect decide_paths(const char *kind, int from_dir, const char *from, int to_dir, const char *to) {
    char full_from[PATH_MAX], full_to[PATH_MAX];
    const char *one = full_path(from_dir, from, full_from), *other = full_path(to_dir, to, full_to);
    return is_below(one) || is_below(other) ? decide(kind, one, other) : RUN;
}

/* Adds an operation to the trace in one write, with the bytes that `fd` now has at the offset if `has_bytes`. */
static void trace(const char *kind, const char *path, const char *to, int fd, off_t offset, size_t length, int has_bytes) {
    int saved = errno;
    char *record = malloc(2 * PATH_MAX + 128 + (has_bytes ? length : 0));
    size_t bytes = (size_t)sprintf(record, "%s\t%s\t%s\t%lld\t%zu\n", kind, path, to ? to : "", (long long)offset, length);
    if (has_bytes) {
        char link[48];
        snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
        int own = (int)syscall(SYS_openat, AT_FDCWD, link, O_RDONLY | O_CLOEXEC);
        if (own < 0 || syscall(SYS_pread64, own, record + bytes, length, offset) != (long)length) abort();
        syscall(SYS_close, own);
        bytes += length;
    }
    if (syscall(SYS_write, trace_fd, record, bytes) != (long)bytes) abort();
    free(record);
    errno = saved;
}

/* The same of an operation on an open file. */
static void trace_fd_operation(const char *kind, int fd, off_t offset, size_t length, int has_bytes) {
    char path[PATH_MAX];
    if (trace_fd >= 0 && path_of(fd, path) && is_below(path)) trace(kind, path, NULL, fd, offset, length, has_bytes);
}

/* Where the next write goes. */
static off_t place_of(int fd) {
    struct stat file;
    if (trace_fd < 0) return 0;
    if (!(syscall(SYS_fcntl, fd, F_GETFL) & O_APPEND)) return syscall(SYS_lseek, fd, 0, SEEK_CUR);
    return fstat(fd, &file) == 0 ? file.st_size : 0;
}

static ssize_t traced_bytes(int fd, off_t offset, ssize_t written) {
    if (written > 0) trace_fd_operation("write", fd, offset, (size_t)written, 1);
    return written;
}

static int traced_size(int fd, int result) {
    struct stat file;
    if (result == 0 && trace_fd >= 0 && fstat(fd, &file) == 0) trace_fd_operation("truncate", fd, file.st_size, 0, 0);
    return result;
}

/* Before the sync: what another thread writes meanwhile is not synced. */
static int traced_sync(int fd, int (*sync)(int)) {
    trace_fd_operation("sync", fd, 0, 0, 0);
    return is_left_out(fd) ? 0 : sync(fd);
}

static int traced_paths(const char *kind, int from_dir, const char *from, int to_dir, const char *to, int result) {
    char full_from[PATH_MAX], full_to[PATH_MAX];
    if (trace_fd < 0 || result < 0) return result;
    const char *one = full_path(from_dir, from, full_from), *other = to ? full_path(to_dir, to, full_to) : NULL;
    if (is_below(one) || (other && is_below(other))) trace(kind, one, other, -1, 0, 0, 0);
    return result;
}

static int traced_path(const char *kind, int dir, const char *path, int result) {
    return traced_paths(kind, dir, path, 0, NULL, result);
}

static int traced_open(int dir, const char *path, int flags, int is_new, int fd) {
    if (fd >= 0 && is_new) traced_path("create", dir, path, fd);
    else if (fd >= 0 && (flags & O_TRUNC)) trace_fd_operation("truncate", fd, 0, 0, 0);
    return fd;
}

#define NEXT(name) \
    static __typeof__(&name) next; \
    if (!next) next = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

/* An operation that is done completely or not at all. */
#define ALL_OR_NOTHING(decision, type, call) \
    do { \
        enum effect effect = (decision); \
        if (effect == REFUSE) return -1; \
        if (effect == HALF_AND_DIE) die(); \
        type result = (call); \
        if (effect == RUN_AND_DIE) die(); \
        return result; \
    } while (0)

/* A write; `half` writes half of the bytes. */
#define SOME_BYTES(decision, half, call) \
    do { \
        enum effect effect = (decision); \
        if (effect == REFUSE) return -1; \
        if (effect == HALF) return (half); \
        ssize_t result = effect == HALF_AND_DIE ? (half) : (call); \
        if (effect == HALF_AND_DIE || effect == RUN_AND_DIE) die(); \
        return result; \
    } while (0)

#define OPEN(name, dir, ...) \
    NEXT(name); \
    mode_t mode = 0; \
    if (flags & (O_CREAT | O_TMPFILE)) { \
        va_list more; \
        va_start(more, flags); \
        mode = va_arg(more, mode_t); \
        va_end(more); \
    } \
    if ((flags & O_ACCMODE) == O_RDONLY && !(flags & O_CREAT)) return next(__VA_ARGS__, flags, mode); \
    int is_new = (flags & O_CREAT) && syscall(SYS_faccessat, dir, path, F_OK) != 0; \
    ALL_OR_NOTHING(decide_path(is_new ? "create" : "open", dir, path), int, \
                   traced_open(dir, path, flags, is_new, next(__VA_ARGS__, flags, mode)))

int open(const char *path, int flags, ...) { OPEN(open, AT_FDCWD, path); }
int open64(const char *path, int flags, ...) { OPEN(open64, AT_FDCWD, path); }
int openat(int dir, const char *path, int flags, ...) { OPEN(openat, dir, dir, path); }
int openat64(int dir, const char *path, int flags, ...) { OPEN(openat64, dir, dir, path); }

ssize_t write(int fd, const void *bytes, size_t count) {
    NEXT(write);
    off_t offset = place_of(fd);
    SOME_BYTES(decide_fd("write", fd), next(fd, bytes, count / 2), traced_bytes(fd, offset, next(fd, bytes, count)));
}
ssize_t pwrite(int fd, const void *bytes, size_t count, off_t offset) {
    NEXT(pwrite);
    SOME_BYTES(decide_fd("write", fd), next(fd, bytes, count / 2, offset),
               traced_bytes(fd, offset, next(fd, bytes, count, offset)));
}
ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t offset) {
    NEXT(pwrite64);
    SOME_BYTES(decide_fd("write", fd), next(fd, bytes, count / 2, offset),
               traced_bytes(fd, offset, next(fd, bytes, count, offset)));
}
ssize_t writev(int fd, const struct iovec *parts, int count) {
    NEXT(writev);
    off_t offset = place_of(fd);
    SOME_BYTES(decide_fd("write", fd), write(fd, parts[0].iov_base, parts[0].iov_len / 2),
               traced_bytes(fd, offset, next(fd, parts, count)));
}
ssize_t sendfile64(int out, int in, off64_t *offset, size_t count) {
    NEXT(sendfile64);
    off_t place = place_of(out);
    SOME_BYTES(decide_fd("copy", out), next(out, in, offset, 4096), traced_bytes(out, place, next(out, in, offset, count)));
}
ssize_t copy_file_range(int in, off64_t *from, int out, off64_t *to, size_t count, unsigned flags) {
    NEXT(copy_file_range);
    off_t place = to ? *to : place_of(out);
    SOME_BYTES(decide_fd("copy", out), next(in, from, out, to, 4096, flags),
               traced_bytes(out, place, next(in, from, out, to, count, flags)));
}
int ioctl(int fd, unsigned long request, ...) {
    NEXT(ioctl);
    va_list more;
    va_start(more, request);
    void *argument = va_arg(more, void *);
    va_end(more);
    if (request != FICLONE) return next(fd, request, argument);
    ALL_OR_NOTHING(decide_fd("copy", fd), int, next(fd, request, argument));
}

int ftruncate(int fd, off_t length) {
    NEXT(ftruncate);
    ALL_OR_NOTHING(decide_fd("truncate", fd), int, traced_size(fd, next(fd, length)));
}
int ftruncate64(int fd, off64_t length) {
    NEXT(ftruncate64);
    ALL_OR_NOTHING(decide_fd("truncate", fd), int, traced_size(fd, next(fd, length)));
}
int fsync(int fd) { NEXT(fsync); ALL_OR_NOTHING(decide_fd("sync", fd), int, traced_sync(fd, next)); }
int fdatasync(int fd) { NEXT(fdatasync); ALL_OR_NOTHING(decide_fd("sync", fd), int, traced_sync(fd, next)); }

int rename(const char *from, const char *to) {
    NEXT(rename);
    ALL_OR_NOTHING(decide_paths("rename", AT_FDCWD, from, AT_FDCWD, to), int,
                   traced_paths("rename", AT_FDCWD, from, AT_FDCWD, to, next(from, to)));
}
int renameat(int from_dir, const char *from, int to_dir, const char *to) {
    NEXT(renameat);
    ALL_OR_NOTHING(decide_paths("rename", from_dir, from, to_dir, to), int,
                   traced_paths("rename", from_dir, from, to_dir, to, next(from_dir, from, to_dir, to)));
}
int renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned flags) {
    NEXT(renameat2);
    ALL_OR_NOTHING(decide_paths("rename", from_dir, from, to_dir, to), int,
                   traced_paths("rename", from_dir, from, to_dir, to, next(from_dir, from, to_dir, to, flags)));
}
int link(const char *from, const char *to) {
    NEXT(link);
    ALL_OR_NOTHING(decide_paths("link", AT_FDCWD, from, AT_FDCWD, to), int,
                   traced_paths("link", AT_FDCWD, from, AT_FDCWD, to, next(from, to)));
}
int linkat(int from_dir, const char *from, int to_dir, const char *to, int flags) {
    NEXT(linkat);
    ALL_OR_NOTHING(decide_paths("link", from_dir, from, to_dir, to), int,
                   traced_paths("link", from_dir, from, to_dir, to, next(from_dir, from, to_dir, to, flags)));
}
int unlink(const char *path) {
    NEXT(unlink);
    ALL_OR_NOTHING(decide_path("unlink", AT_FDCWD, path), int, traced_path("unlink", AT_FDCWD, path, next(path)));
}
int unlinkat(int dir, const char *path, int flags) {
    NEXT(unlinkat);
    const char *kind = flags & AT_REMOVEDIR ? "rmdir" : "unlink";
    ALL_OR_NOTHING(decide_path(kind, dir, path), int, traced_path(kind, dir, path, next(dir, path, flags)));
}
int rmdir(const char *path) {
    NEXT(rmdir);
    ALL_OR_NOTHING(decide_path("rmdir", AT_FDCWD, path), int, traced_path("rmdir", AT_FDCWD, path, next(path)));
}
int mkdir(const char *path, mode_t mode) {
    NEXT(mkdir);
    ALL_OR_NOTHING(decide_path("mkdir", AT_FDCWD, path), int, traced_path("mkdir", AT_FDCWD, path, next(path, mode)));
}
int fchmod(int fd, mode_t mode) {
    NEXT(fchmod);
    if (!no_modes) return next(fd, mode);
    errno = EPERM;
    return -1;
}
int remove(const char *path) {
    NEXT(remove);
    ALL_OR_NOTHING(decide_path("unlink", AT_FDCWD, path), int, traced_path("unlink", AT_FDCWD, path, next(path)));
}
int fallocate(int fd, int mode, off_t offset, off_t length) {
    NEXT(fallocate);
    ALL_OR_NOTHING(decide_fd("write", fd), int, traced_size(fd, next(fd, mode, offset, length)));
}
