#if defined(__linux__)
#define _GNU_SOURCE
#endif

#include "chost.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>
#if defined(__GLIBC__)
#include <malloc.h>
#endif

void chost_return_large_blocks(void) {
#if defined(__GLIBC__)
    // Not what comes and goes too often: one read of a channel, 64 KiB, and the pages that SQLite takes for
    // each list that a statement looks through, 88 KiB.
    mallopt(M_MMAP_THRESHOLD, (1 << 16) + (1 << 15));
#endif
}

void chost_widen_descriptor_table(void) {
    int fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 1023);
    if (fd >= 0) close(fd);
}

int chost_set_nonblocking(int fd, bool nonblocking) {
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0) return errno;
    int wanted = nonblocking ? flags | O_NONBLOCK : flags & ~O_NONBLOCK;
    return fcntl(fd, F_SETFL, wanted) < 0 ? errno : 0;
}

int chost_pipe(int *read_fd, int *write_fd, bool nonblocking) {
    int fds[2];
#if defined(__linux__)
    if (pipe2(fds, O_CLOEXEC | (nonblocking ? O_NONBLOCK : 0)) < 0) return errno;
#else
    if (pipe(fds) < 0) return errno;
    for (int i = 0; i < 2; i++) {
        fcntl(fds[i], F_SETFD, FD_CLOEXEC);
        if (nonblocking) chost_set_nonblocking(fds[i], true);
    }
#endif
    *read_fd = fds[0];
    *write_fd = fds[1];
    return 0;
}

bool chost_is_socket(int fd) {
    int type;
    socklen_t length = sizeof type;
    return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) == 0;
}

ssize_t chost_send(int fd, const void *bytes, size_t count) {
#if defined(MSG_NOSIGNAL)
    return send(fd, bytes, count, MSG_NOSIGNAL);
#else
    return send(fd, bytes, count, 0);
#endif
}
