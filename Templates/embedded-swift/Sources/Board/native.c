// The device as a process of the host: bytes on standard input and output, state in a folder.
//
// PROVISION_NATIVE_ERASE, set to anything, has all but the ID erased at the start, as flashing with an erased key store does.
// PROVISION_NATIVE_CUT, a number, is for tests: the process dies in the middle of that flash write, counted from 0 at the start,
//     with half of it done, as if the power had failed.
// PROVISION_NATIVE_REPORT, set to anything, has it print a line with its key at the start, and again with each sign of life.
// PROVISION_NATIVE_STATE names the folder (default: the current one). It holds
//     device-id    8 random bytes, made on the first start
//     flash        the record store
//     *.psa_its    the keys, written by the system's mbedTLS
//     erasing      only while they are being erased, which the next start completes
#if !defined(BOARD_BARE_METAL)

#define _GNU_SOURCE  // POSIX and getentropy, beyond ISO C
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "board.h"
#include "device_provisioning.h"
#include "device_provisioning_hal.h"
#include "flash_range.h"

// The system's mbedTLS. The manifest cannot say it: there, a board without an operating system
// counts as Linux.
#pragma comment(lib, "mbedcrypto")

const uint32_t dp_hal_flash_page_size = 1024;
const uint32_t dp_hal_flash_page_count = 64;

static int flash = -1;
static uint8_t device_id[64];
static size_t device_id_length;
static struct timespec started;

static _Noreturn void fail(const char *what) {
    fprintf(stderr, "firmware: error: %s: %s\n", what, strerror(errno));
    exit(1);
}

// MARK: Identity

// What was written outlives the process, which is all that losing power means here: nothing is synchronised with the
// disk.

/// Written beside and linked, so that a process that is killed leaves no half of an ID.
static void make_device_id(void) {
    uint8_t fresh[8];
    char path[] = "device-id.XXXXXX";
    const int file = mkstemp(path);
    if (file < 0) fail("device-id");
    if (!dp_hal_entropy(fresh, sizeof fresh)) fail("device-id");
    if (write(file, fresh, sizeof fresh) != sizeof fresh) fail("device-id");
    if (close(file) != 0) fail("device-id");
    // Unlike a rename, a link never replaces the ID of a process that was faster.
    if (link(path, "device-id") != 0 && errno != EEXIST) fail("device-id");
    unlink(path);
}

static void read_device_id(void) {
    struct stat status;
    // It was on its way to the disk when the computer lost its power.
    if (stat("device-id", &status) == 0 && status.st_size == 0) unlink("device-id");
    int file = open("device-id", O_RDONLY | O_CLOEXEC);
    if (file < 0 && errno == ENOENT) {
        make_device_id();
        file = open("device-id", O_RDONLY | O_CLOEXEC);
    }
    if (file < 0) fail("device-id");
    const ssize_t length = read(file, device_id, sizeof device_id);
    close(file);
    if (length < 1) fail("device-id");
    device_id_length = (size_t)length;
}

size_t dp_hal_device_id(uint8_t id[64]) {
    memcpy(id, device_id, device_id_length);
    return device_id_length;
}

const char *dp_hal_board(void) { return "native"; }
const char *dp_hal_firmware(void) { return FIRMWARE_VERSION; }

// MARK: Bytes and seconds

void dp_hal_write(const uint8_t *bytes, size_t length) {
    while (length > 0) {
        const ssize_t written = write(STDOUT_FILENO, bytes, length);
        if (written < 0 && errno == EINTR) continue;
        // Whoever read the answers is gone.
        if (written < 0) exit(0);
        bytes += written;
        length -= (size_t)written;
    }
}

void board_log(const uint8_t *bytes, size_t length) { dp_hal_write(bytes, length); }

void board_report(void) {
    if (getenv("PROVISION_NATIVE_REPORT") != NULL) (void)dp_report();
}

int32_t board_receive(void) {
    static uint8_t buffer[512];
    static size_t position, filled;
    if (position < filled) return buffer[position++];
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    const int ready = poll(&input, 1, 1000);
    if (ready == 0 || (ready < 0 && errno == EINTR)) return BOARD_IDLE;
    const ssize_t count = read(STDIN_FILENO, buffer, sizeof buffer);
    if (count < 0 && errno == EINTR) return BOARD_IDLE;
    if (count <= 0) return BOARD_CLOSED;
    filled = (size_t)count;
    position = 1;
    return buffer[0];
}

/// A terminal would hold back lines, and take some bytes of a frame as commands to itself. Ctrl-C
/// still works.
static void pass_bytes_through(void) {
    struct termios mode;
    if (tcgetattr(STDIN_FILENO, &mode) != 0) return;
    mode.c_iflag &= ~(tcflag_t)(ICRNL | INLCR | IGNCR | IXON | ISTRIP);
    mode.c_oflag &= ~(tcflag_t)OPOST;
    mode.c_lflag &= ~(tcflag_t)(ICANON | ECHO | IEXTEN);
    tcsetattr(STDIN_FILENO, TCSANOW, &mode);
}

uint32_t board_uptime(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint32_t)(now.tv_sec - started.tv_sec);
}

uint32_t board_unused_stack(void) { return 0; }

// MARK: Entropy

bool dp_hal_entropy(uint8_t *out, size_t length) {
    // The kernel answers at most this many bytes in one go.
    enum { most = 256 };
    while (length > 0) {
        const size_t part = length < most ? length : most;
        if (getentropy(out, part) != 0) return false;
        out += part;
        length -= part;
    }
    return true;
}

// MARK: Flash, in a file

/// A disk without room is no flash without room: the process ends with the words for it, as if the power had failed.
static void write_flash(uint32_t offset, const void *bytes, size_t length) {
    static unsigned long done;
    const char *cut = getenv("PROVISION_NATIVE_CUT");
    if (cut != NULL && done++ == strtoul(cut, NULL, 10)) {
        // If not even half of it can be written, nothing of it is.
        (void)!pwrite(flash, bytes, length / 2, offset);
        raise(SIGKILL);
    }
    const ssize_t written = pwrite(flash, bytes, length, offset);
    if (written >= 0) errno = ENOSPC;
    if (written != (ssize_t)length) fail("flash");
}

static void open_flash(void) {
    flash = open("flash", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    struct stat status;
    if (flash < 0 || fstat(flash, &status) != 0) fail("flash");
    const off_t size = (off_t)dp_hal_flash_page_size * dp_hal_flash_page_count;
    // Also completes a file whose making was interrupted.
    for (off_t page = status.st_size / dp_hal_flash_page_size * dp_hal_flash_page_size; page < size;
         page += dp_hal_flash_page_size) {
        if (!dp_hal_flash_erase((uint32_t)page)) fail("flash");
    }
}

void dp_hal_flash_read(uint32_t offset, void *out, size_t length) {
    if (pread(flash, out, length, offset) != (ssize_t)length) fail("flash");
}

bool dp_hal_flash_program(uint32_t offset, const void *bytes, size_t length) {
    if (!are_flash_words(offset, length)) return false;
    // As in flash, programming only clears bits: code that forgot to erase fails here too.
    const uint8_t *source = bytes;
    for (size_t index = 0; index < length; index += 4) {
        uint8_t word[4];
        dp_hal_flash_read(offset + (uint32_t)index, word, sizeof word);
        for (size_t byte = 0; byte < sizeof word; byte++) word[byte] &= source[index + byte];
        if (memcmp(word, source + index, sizeof word) != 0) return false;
    }
    write_flash(offset, bytes, length);
    return true;
}

bool dp_hal_flash_erase(uint32_t offset) {
    if (!is_flash_page(offset)) return false;
    uint8_t page[1024];
    memset(page, 0xFF, sizeof page);
    write_flash(offset, page, dp_hal_flash_page_size);
    return true;
}

// MARK: Start and reset

// All or nothing, also for a process that is killed: a new key must not find the old one's credentials.
static void erase_keys(void) {
    glob_t keys;
    const int mark = open("erasing", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (mark < 0 || close(mark) != 0) fail("erasing");
    if (glob("*.psa_its", 0, NULL, &keys) == 0) {
        for (size_t index = 0; index < keys.gl_pathc; index++) {
            if (unlink(keys.gl_pathv[index]) != 0) fail(keys.gl_pathv[index]);
        }
        globfree(&keys);
    }
    if (unlink("flash") != 0 && errno != ENOENT) fail("flash");
    if (unlink("erasing") != 0) fail("erasing");
}

void board_start(void) {
    const char *state = getenv("PROVISION_NATIVE_STATE");
    if (state != NULL && (mkdir(state, 0700), chdir(state)) != 0) fail(state);
    umask(077);
    clock_gettime(CLOCK_MONOTONIC, &started);
    read_device_id();
    if (getenv("PROVISION_NATIVE_ERASE") != NULL || access("erasing", F_OK) == 0) erase_keys();
    open_flash();
    pass_bytes_through();
}

/// The same process starts over: whoever holds the other ends keeps them.
void dp_hal_reset(void) {
    // A relative path would be taken from the folder that this process is in already.
    unsetenv("PROVISION_NATIVE_STATE");
    unsetenv("PROVISION_NATIVE_ERASE");
    char *arguments[] = {"Firmware", NULL};
    execv("/proc/self/exe", arguments);
    fail("reset");
}

#endif
