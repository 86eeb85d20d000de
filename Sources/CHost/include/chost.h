/// What Swift cannot import or must not do itself: signal handlers, variadic calls, termios2, and the
/// steps between fork and exec. Functions return 0 or an errno value unless said otherwise.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

// MARK: Signals

/// SIGINT, SIGTERM and SIGHUP write one byte to `write_fd` from now on, SIGPIPE is ignored, and the
/// calling thread's signal mask is emptied: a SwiftPM plugin passes on a mask that blocks them all.
/// A second signal more than half a second after the first restores the terminal, interrupts the host and ends
/// the process; earlier ones are repeats of the same key press, as SwiftPM forwards it.
int chost_signals_install(int write_fd);

/// SIGINT, SIGTERM and SIGHUP write `message` to standard error, remove the unfinished file, give the
/// terminal's foreground back, interrupt the host and end the process with `status`: for as long as nothing
/// else has to be undone, until `chost_signals_install`. Empties the signal mask, too. `message` is kept, not
/// copied.
int chost_signals_install_early(int status, const char *message);

/// Has these signals write `document` to standard output, too; NULL: nothing, as at first. It is kept, not
/// copied, and written in one piece.
void chost_signals_set_early_document(const char *document);

/// A file to remove where a signal ends the process; nothing if the path has 4096 bytes or more.
void chost_unfinished_file_begin(const char *path);
void chost_unfinished_file_end(void);

// MARK: Memory

/// A block of more than 96 KiB goes back to the system when it is freed. glibc would learn from the first
/// one to keep them: a board's flash is read again and again, and what stays lies between.
void chost_return_large_blocks(void);

// MARK: Descriptors

/// Has the kernel make room for 1024 descriptors, the usual limit. When threads share the table, whoever
/// opens the first descriptor beyond it waits tens of milliseconds, and all others with it: call it before
/// the first thread begins.
void chost_widen_descriptor_table(void);

/// A pipe whose ends are closed on exec. `nonblocking` applies to both ends.
int chost_pipe(int *read_fd, int *write_fd, bool nonblocking);

int chost_set_nonblocking(int fd, bool nonblocking);

/// Whether `fd` is a socket, whose writes need MSG_NOSIGNAL.
bool chost_is_socket(int fd);

/// `send` with MSG_NOSIGNAL where it exists. Returns what `send` returns.
ssize_t chost_send(int fd, const void *bytes, size_t count);

// MARK: Serial ports

/// The settings of a tty as they were, opaque.
struct chost_serial_settings {
    unsigned char bytes[128];
};

enum chost_flow_control { CHOST_FLOW_NONE, CHOST_FLOW_RTS_CTS, CHOST_FLOW_XON_XOFF };

/// Saves the settings, then sets raw 8N1 at `baud` bits per second and discards what is queued in both
/// directions. Any rate that the driver can make is accepted. ENOTSUP if it does not take the flow
/// control. Closing drops no modem line.
int chost_serial_configure(
    int fd, uint32_t baud, enum chost_flow_control flow, struct chost_serial_settings *saved);

/// Bits per second as the driver set them, 0 if it does not say.
uint32_t chost_serial_baud(int fd);

/// All but what would have closing drop the modem lines.
int chost_serial_restore(int fd, const struct chost_serial_settings *saved);

/// Sets the modem lines, both at once: 0 clears, 1 sets, any other value leaves a line as it is. ENOTTY
/// where there are none, as behind a pseudo-terminal.
int chost_serial_lines(int fd, int dtr, int rts);

/// Whether `fd` is a pseudo-terminal's slave. False where the system does not tell.
bool chost_serial_is_pseudo(int fd);

/// Whether `fd` is a pseudo-terminal's master, which opening `/dev/ptmx` makes. False where the system
/// does not tell.
bool chost_serial_is_master(int fd);

/// Takes or gives back exclusive use (TIOCEXCL). Other openers get EBUSY, but for root.
int chost_serial_exclusive(int fd, bool exclusive);

/// Bytes that are not yet on the wire; 0 where the driver does not say.
int chost_serial_unsent(int fd);

/// Discards what has not been sent, so that close does not wait for a line that is stuck.
void chost_serial_discard_output(int fd);

// MARK: Terminal

/// Puts a terminal into key-by-key input without echo, keeping output processing, and remembers how it
/// was, for `chost_terminal_restore` and for the signal handler. One terminal per process:
/// EBUSY if one is taken already.
int chost_terminal_take(int fd);

/// Idempotent and async-signal-safe.
void chost_terminal_restore(void);

/// The process group that had the foreground of the terminal on standard input before this process took
/// it; 0 is none.
void chost_foreground_set_owner(pid_t group);

/// Gives it back. Idempotent and async-signal-safe.
void chost_foreground_return(void);

// MARK: Host

/// `swift package`, whose plugin has become this process. `output` is a pipe: SwiftPM reads its other end as
/// the plugin's output.
void chost_host_set(pid_t process, int output);

/// Has the host end by SIGINT, which is how a shell learns of Ctrl-C: whatever a plugin's status is, SwiftPM
/// ends with 1. To be called last of all; async-signal-safe. Nothing if there is no host, or none any more.
///
/// SwiftPM passes its SIGINT on, waits for the plugin's end, and then ends by it, unless it is told of that
/// end sooner by its usual way, which first reads all of the plugin's output. So a process is left that
/// keeps `output` open until SwiftPM is gone.
void chost_host_interrupt(void);

// MARK: Child processes

struct chost_spawn_request {
    /// The executable: absolute, or relative to `directory`.
    const char *path;
    char *const *argv;
    char *const *envp;
    /// NULL: the caller's.
    const char *directory;
    int input, output, error;
    /// More descriptors, at most CHOST_INHERITED_MAX: 3 and up in the child, in this order.
    const int *inherited;
    size_t inherited_count;
};

enum { CHOST_INHERITED_MAX = 4 };

/// The process's own environment, as execve takes it.
char *const *chost_environment(void);

/// Starts a child in a process group of its own, with an empty signal mask, default signal actions, only
/// these descriptors, and (on Linux) SIGKILL on the death of this process. The child is made by a
/// thread that lives as long as the process, because Linux ties that signal to the thread.
int chost_spawn(const struct chost_spawn_request *request, pid_t *pid);

/// A descriptor that becomes readable when `pid` ends, or −1 where the system has none.
int chost_pidfd_open(pid_t pid);

enum { CHOST_RUNNING = 0, CHOST_EXITED = 1, CHOST_SIGNALLED = 2, CHOST_LOST = 3 };

/// One of the above, without waiting. `value` is the exit status or the signal. With `reap` the process
/// ID is released. CHOST_LOST: somebody else has reaped the child.
int chost_child_state(pid_t pid, bool reap, int *value);
