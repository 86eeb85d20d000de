#if defined(__linux__)
#define _GNU_SOURCE
#endif

#include "chost.h"

#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

#include "descriptors.h"

/// How long SwiftPM may take to end by its SIGINT; then it tells of the tool's end in its usual way. It is sent
/// again and again, since some get lost in SwiftPM.
enum { hold_milliseconds = 10000, hold_step = 50 };

static atomic_int host_process;
static atomic_int host_output = -1;

void chost_host_set(pid_t process, int output) {
    host_output = output;
    host_process = process;
}

/// For a signal handler. `fork` takes the locks of malloc and of the C library's streams first: the handler would
/// wait for ever for one that the interrupted code holds, and goes on holding. glibc's `_Fork` takes none.
static pid_t fork_in_handler(void) {
#if defined(__GLIBC__) && defined(__GLIBC_PREREQ)
#if __GLIBC_PREREQ(2, 34)
    return _Fork();
#endif
#endif
    return fork();
}

/// Returns when `process`, the reader of `output`, has ended, or does not end.
static void hold(pid_t process, int output) {
    // Nothing else is kept open: whoever reads another pipe of this process learns of its end now.
    dup2(output, 0);
    chost_close_from(1);
    // No events: POLLERR, that the pipe has no reader any more, is told unasked.
    struct pollfd end = {.fd = 0};
    for (int waited = 0; waited < hold_milliseconds; waited += hold_step) {
        if (poll(&end, 1, hold_step) != 0) return;
        kill(process, SIGINT);
    }
}

void chost_host_interrupt(void) {
    pid_t process = atomic_exchange(&host_process, 0);
    if (process <= 0 || getppid() != process) return;
    // SwiftPM passes it on, and whoever is impatient presses the key again.
    signal(SIGINT, SIG_IGN);
    if (kill(process, SIGINT) == 0 && fork_in_handler() == 0) {
        hold(process, host_output);
        _exit(0);
    }
}
