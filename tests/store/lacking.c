/* Files below $LACKING_IN lie on a file system that lacks shared memory (LACKING=shm), locks (LACKING=locks)
   or both, as network ones do. To be preloaded. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <unistd.h>

static int lacks(const char *what) {
    const char *said = getenv("LACKING");
    return said && strstr(said, what);
}
static int is(int fd) {
    const char *in = getenv("LACKING_IN");
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof path - 1);
    if (n < 0) return 0;
    path[n] = 0;
    return in && strncmp(path, in, strlen(in)) == 0;
}
void *mmap(void *a, size_t n, int prot, int flags, int fd, off_t o) {
    static void *(*real)(void *, size_t, int, int, int, off_t);
    if (!real) real = dlsym(RTLD_NEXT, "mmap");
    if (fd >= 0 && (flags & MAP_SHARED) && lacks("shm") && is(fd)) { errno = ENODEV; return MAP_FAILED; }
    return real(a, n, prot, flags, fd, o);
}
void *mmap64(void *a, size_t n, int prot, int flags, int fd, off_t o) { return mmap(a, n, prot, flags, fd, o); }
static int locked(int fd, int cmd) {
    return (cmd == F_SETLK || cmd == F_SETLKW || cmd == F_GETLK || cmd == F_OFD_SETLK) && lacks("locks") && is(fd);
}
int fcntl(int fd, int cmd, ...) {
    static int (*real)(int, int, void *);
    if (!real) real = dlsym(RTLD_NEXT, "fcntl");
    va_list l; va_start(l, cmd); void *arg = va_arg(l, void *); va_end(l);
    if (locked(fd, cmd)) { errno = ENOLCK; return -1; }
    return real(fd, cmd, arg);
}
int fcntl64(int fd, int cmd, ...) {
    va_list l; va_start(l, cmd); void *arg = va_arg(l, void *); va_end(l);
    return fcntl(fd, cmd, arg);
}
int flock(int fd, int op) {
    static int (*real)(int, int);
    if (!real) real = dlsym(RTLD_NEXT, "flock");
    if (lacks("locks") && is(fd)) { errno = ENOLCK; return -1; }
    return real(fd, op);
}
