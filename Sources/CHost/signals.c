#if defined(__linux__)
#define _GNU_SOURCE
#endif

#include "chost.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

static const int watched[] = {SIGINT, SIGTERM, SIGHUP};
enum { watched_count = sizeof watched / sizeof watched[0] };

/// A key press that SwiftPM forwards arrives twice, a few milliseconds apart.
enum { repeat_milliseconds = 500 };

// A signal is handled by any thread, and two by two threads at once: sig_atomic_t, which is meant for
// one thread and its handlers, is not enough. A handler may only use atomics that take no lock.
_Static_assert(ATOMIC_INT_LOCK_FREE == 2 && ATOMIC_LLONG_LOCK_FREE == 2, "atomics without locks");
_Static_assert(ATOMIC_POINTER_LOCK_FREE == 2 && ATOMIC_BOOL_LOCK_FREE == 2, "atomics without locks");

static atomic_int signal_fd = -1;
/// Of the first signal, on the monotonic clock; 0 before it.
static _Atomic int64_t first_milliseconds;

static atomic_int terminal_fd = -1;
static struct termios terminal_before;

static int64_t milliseconds_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    // The clock may have started this very millisecond.
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 + 1;
}

static int early_status;
static const char *early_message = "";
/// Nothing of it is freed: a handler may be about to write it.
static _Atomic(const char *) early_document;
static atomic_int foreground_owner;
static char unfinished_file[4096];
static atomic_bool has_unfinished_file;

/// A pipe that nobody reads would hold up the end.
static void write_if_ready(int fd, const char *text) {
    struct pollfd output = {.fd = fd, .events = POLLOUT};
    if (poll(&output, 1, 0) > 0 && write(fd, text, strlen(text)) < 0) {
        // Nobody reads it any more.
    }
}

static void on_early_signal(int number) {
    (void)number;
    // Of a pipeline, the reader may have died of the same key press: this process has more to do than to write.
    signal(SIGPIPE, SIG_IGN);
    const char *document = atomic_exchange(&early_document, NULL);
    if (document) write_if_ready(STDOUT_FILENO, document);
    write_if_ready(STDERR_FILENO, early_message);
    if (has_unfinished_file) unlink(unfinished_file);
    chost_foreground_return();
    chost_host_interrupt();
    _exit(early_status);
}

static void on_signal(int number) {
    int saved_errno = errno;
    int64_t now = milliseconds_now(), first = 0;
    bool is_first = atomic_compare_exchange_strong(&first_milliseconds, &first, now);
    if (!is_first && now - first > repeat_milliseconds) {
        chost_terminal_restore();
        chost_foreground_return();
        if (has_unfinished_file) unlink(unfinished_file);
        chost_host_interrupt();
        signal(number, SIG_DFL);
        raise(number);
        return;
    }
    char byte = (char)number;
    int fd = signal_fd;
    if (fd >= 0 && write(fd, &byte, 1) < 0) {
        // The pipe is full: it is readable already, which is all that matters.
    }
    errno = saved_errno;
}

static int install(void (*handler)(int)) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = handler;
    sigemptyset(&action.sa_mask);
    for (int i = 0; i < watched_count; i++) sigaddset(&action.sa_mask, watched[i]);
    for (int i = 0; i < watched_count; i++) {
        struct sigaction before;
        if (sigaction(watched[i], NULL, &before) < 0) return errno;
        // Under nohup a closed terminal is no reason to stop.
        if (watched[i] == SIGHUP && before.sa_handler == SIG_IGN) continue;
        if (sigaction(watched[i], &action, NULL) < 0) return errno;
    }
    sigset_t none;
    sigemptyset(&none);
    return pthread_sigmask(SIG_SETMASK, &none, NULL);
}

int chost_signals_install_early(int status, const char *message) {
    early_status = status;
    early_message = message;
    return install(on_early_signal);
}

void chost_signals_set_early_document(const char *document) { early_document = document; }

int chost_signals_install(int write_fd) {
    first_milliseconds = 0;
    signal_fd = write_fd;
    signal(SIGPIPE, SIG_IGN);
    return install(on_signal);
}

void chost_unfinished_file_begin(const char *path) {
    has_unfinished_file = false;
    size_t length = strlen(path);
    if (length >= sizeof unfinished_file) return;
    memcpy(unfinished_file, path, length + 1);
    has_unfinished_file = true;
}

void chost_unfinished_file_end(void) { has_unfinished_file = false; }

int chost_terminal_take(int fd) {
    if (terminal_fd >= 0) return EBUSY;
    if (tcgetattr(fd, &terminal_before) < 0) return errno;
    struct termios keys = terminal_before;
    keys.c_lflag &= (tcflag_t) ~(ICANON | ECHO | ECHONL | ISIG | IEXTEN);
    keys.c_iflag &= (tcflag_t) ~(ICRNL | INLCR | IGNCR | IXON | ISTRIP | BRKINT);
    keys.c_cc[VMIN] = 1;
    keys.c_cc[VTIME] = 0;
    terminal_fd = fd;
    if (tcsetattr(fd, TCSANOW, &keys) < 0) {
        int error = errno;
        terminal_fd = -1;
        return error;
    }
    return 0;
}

void chost_terminal_restore(void) {
    int fd = atomic_exchange(&terminal_fd, -1);
    if (fd < 0) return;
    tcsetattr(fd, TCSANOW, &terminal_before);
}

void chost_foreground_set_owner(pid_t group) { foreground_owner = group; }

void chost_foreground_return(void) {
    pid_t owner = atomic_exchange(&foreground_owner, 0);
    if (owner <= 0) return;
    // From a group that is not in the foreground the call would stop it.
    signal(SIGTTOU, SIG_IGN);
    tcsetpgrp(STDIN_FILENO, owner);
}
