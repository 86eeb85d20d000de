#if defined(__linux__)
#define _GNU_SOURCE
#endif

#include "chost.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#if defined(__linux__)
#include <sys/prctl.h>
#include <sys/syscall.h>
#endif

#include "descriptors.h"

void chost_close_from(int first) {
#if defined(__linux__) && defined(SYS_close_range)
    if (syscall(SYS_close_range, (unsigned)first, ~0U, 0U) == 0) return;
#endif
    long limit = sysconf(_SC_OPEN_MAX);
    if (limit < 0 || limit > 65536) limit = 65536;
    for (int fd = first; fd < limit; fd++) close(fd);
}

/// Between fork and exec: async-signal-safe calls only. Returns the errno value of what failed.
/// `*report` is moved to where it does not stand in the way; exec closes it.
static int become(const struct chost_spawn_request *request, pid_t parent, int *report) {
    if (setpgid(0, 0) < 0) return errno;
#if defined(__linux__)
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0) return errno;
    if (getppid() != parent) return ESRCH;
#else
    (void)parent;
#endif
    int wanted[3 + CHOST_INHERITED_MAX] = {request->input, request->output, request->error};
    int count = 3;
    if (request->inherited_count > CHOST_INHERITED_MAX) return EINVAL;
    for (size_t i = 0; i < request->inherited_count; i++) wanted[count++] = request->inherited[i];
    // Above all of them first, so that no dup2 overwrites a descriptor that is still needed.
    int moved = fcntl(*report, F_DUPFD, count + 1);
    if (moved < 0) return errno;
    *report = moved;
    for (int i = 0; i < count; i++) {
        wanted[i] = fcntl(wanted[i], F_DUPFD, count + 1);
        if (wanted[i] < 0) return errno;
    }
    for (int i = 0; i < count; i++)
        if (dup2(wanted[i], i) < 0) return errno;
    if (dup2(*report, count) < 0) return errno;
    *report = count;
    if (fcntl(*report, F_SETFD, FD_CLOEXEC) < 0) return errno;
    chost_close_from(count + 1);
    if (request->directory && chdir(request->directory) < 0) return errno;

    for (int number = 1; number < NSIG; number++) signal(number, SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    execve(request->path, request->argv, request->envp);
    return errno;
}

static int make_child(const struct chost_spawn_request *request, pid_t *pid) {
    // Not through the memory that a vfork shares: sanitizers and some systems make it a fork.
    int failures, report;
    int error = chost_pipe(&failures, &report, false);
    if (error) return error;
    pid_t parent = getpid();
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wdeprecated-declarations"
    pid_t child = vfork();
#pragma clang diagnostic pop
    if (child == 0) {
        int end = report;
        int failure = become(request, parent, &end);
        ssize_t written = write(end, &failure, sizeof failure);
        _exit(written == sizeof failure ? 127 : 126);
    }
    if (child < 0) error = errno;
    close(report);
    if (child > 0) {
        ssize_t length;
        do {
            length = read(failures, &error, sizeof error);
        } while (length < 0 && errno == EINTR);
        // Nothing is said by exec, which closes the pipe.
        if (length != sizeof error) error = 0;
    }
    close(failures);
    if (child > 0 && error) {
        while (waitpid(child, NULL, 0) < 0 && errno == EINTR) {}
    }
    if (!error) *pid = child;
    return error;
}

/// One child to be made, in the frame of who waits for it.
struct job {
    const struct chost_spawn_request *request;
    struct job *next;
    pid_t pid;
    int error;
    bool is_done;
};

// A child is killed when the thread that made it ends, so threads that never end make all of them. More
// than one: until its child has become another program, a thread stands still, which takes milliseconds
// where every core is busy, and dozens of boards are started at once.
#define SPAWNERS 8
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t added = PTHREAD_COND_INITIALIZER;
static pthread_cond_t done = PTHREAD_COND_INITIALIZER;
static struct job *first, **last = &first;
static int waiting_jobs, idle_spawners, spawners;

static void *spawner(void *unused) {
    (void)unused;
    pthread_mutex_lock(&lock);
    for (;;) {
        idle_spawners++;
        while (!first) pthread_cond_wait(&added, &lock);
        idle_spawners--;
        struct job *job = first;
        first = job->next;
        if (!first) last = &first;
        waiting_jobs--;
        pthread_mutex_unlock(&lock);
        job->error = make_child(job->request, &job->pid);
        pthread_mutex_lock(&lock);
        job->is_done = true;
        pthread_cond_broadcast(&done);
    }
    return NULL;
}

static int start_spawner(void) {
    // No handler may run in a child that shares our memory.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_t thread;
    int error = pthread_create(&thread, NULL, spawner, NULL);
    if (!error) pthread_detach(thread);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error;
}

int chost_spawn(const struct chost_spawn_request *request, pid_t *pid) {
    struct job job = {.request = request};
    int error = 0;
    pthread_mutex_lock(&lock);
    if (waiting_jobs >= idle_spawners && spawners < SPAWNERS) {
        error = start_spawner();
        if (!error) spawners++;
    }
    // With one there, it only takes longer.
    if (!error || spawners > 0) {
        *last = &job;
        last = &job.next;
        waiting_jobs++;
        pthread_cond_signal(&added);
        while (!job.is_done) pthread_cond_wait(&done, &lock);
        error = job.error;
        *pid = job.pid;
    }
    pthread_mutex_unlock(&lock);
    return error;
}

extern char **environ;

char *const *chost_environment(void) { return environ; }

int chost_pidfd_open(pid_t pid) {
#if defined(__linux__) && defined(SYS_pidfd_open)
    return (int)syscall(SYS_pidfd_open, pid, 0);
#else
    (void)pid;
    return -1;
#endif
}

int chost_child_state(pid_t pid, bool reap, int *value) {
    siginfo_t info = {0};
    int result;
    do {
        result = waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | (reap ? 0 : WNOWAIT));
    } while (result < 0 && errno == EINTR);
    if (result < 0) return CHOST_LOST;
    if (info.si_pid == 0) return CHOST_RUNNING;
    *value = info.si_status;
    return info.si_code == CLD_EXITED ? CHOST_EXITED : CHOST_SIGNALLED;
}
