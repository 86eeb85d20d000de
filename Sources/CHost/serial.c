#include "chost.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#if defined(__linux__)
#include <sys/sysmacros.h>
#endif

#if defined(__linux__)

// Not <termios.h>: the two define the same names, and only this one has termios2.
#include <asm/termbits.h>

_Static_assert(sizeof(struct termios2) <= sizeof(struct chost_serial_settings), "too small");

/// The rates that have a name: programs that know no others show these rightly.
static tcflag_t named_rate(uint32_t baud) {
    switch (baud) {
    case 1200: return B1200;
    case 2400: return B2400;
    case 4800: return B4800;
    case 9600: return B9600;
    case 19200: return B19200;
    case 38400: return B38400;
    case 57600: return B57600;
    case 115200: return B115200;
    case 230400: return B230400;
    case 460800: return B460800;
    case 500000: return B500000;
    case 576000: return B576000;
    case 921600: return B921600;
    case 1000000: return B1000000;
    case 1500000: return B1500000;
    case 2000000: return B2000000;
    case 3000000: return B3000000;
    case 4000000: return B4000000;
    default: return BOTHER;
    }
}

uint32_t chost_serial_baud(int fd) {
    struct termios2 settings;
    return ioctl(fd, TCGETS2, &settings) < 0 ? 0 : settings.c_ospeed;
}

int chost_serial_configure(
    int fd, uint32_t baud, enum chost_flow_control flow, struct chost_serial_settings *saved) {
    struct termios2 settings;
    if (ioctl(fd, TCGETS2, &settings) < 0) return errno;
    memcpy(saved->bytes, &settings, sizeof settings);

    // cfmakeraw, and nothing that could swallow, translate, echo or delay a byte.
    settings.c_iflag = flow == CHOST_FLOW_XON_XOFF ? IXON | IXOFF : 0;
    settings.c_oflag &= ~(tcflag_t)OPOST;
    settings.c_lflag = 0;
    // HUPCL: a line that drops at the close, and rises at the next opening, resets many a board.
    settings.c_cflag &= ~(tcflag_t)(CSIZE | PARENB | PARODD | CSTOPB | CRTSCTS | HUPCL);
    if (flow == CHOST_FLOW_RTS_CTS) settings.c_cflag |= CRTSCTS;
    settings.c_cflag |= CS8 | CREAD | CLOCAL;
    settings.c_cc[VMIN] = 1;
    settings.c_cc[VTIME] = 0;
    settings.c_cc[VSTART] = 0x11;
    settings.c_cc[VSTOP] = 0x13;
    settings.c_cflag &= ~(tcflag_t)(CBAUD | (CBAUD << IBSHIFT));
    settings.c_cflag |= named_rate(baud) | (named_rate(baud) << IBSHIFT);
    settings.c_ispeed = baud;
    settings.c_ospeed = baud;
    if (ioctl(fd, TCSETS2, &settings) < 0) return errno;
    if (ioctl(fd, TCFLSH, TCIOFLUSH) < 0) return errno;
    // What a driver does not do, it clears without a word.
    if (ioctl(fd, TCGETS2, &settings) < 0) return errno;
    return flow == CHOST_FLOW_RTS_CTS && !(settings.c_cflag & CRTSCTS) ? ENOTSUP : 0;
}

int chost_serial_restore(int fd, const struct chost_serial_settings *saved) {
    struct termios2 settings;
    memcpy(&settings, saved->bytes, sizeof settings);
    settings.c_cflag &= ~(tcflag_t)HUPCL;
    return ioctl(fd, TCSETS2, &settings) < 0 ? errno : 0;
}

void chost_serial_discard_output(int fd) { ioctl(fd, TCFLSH, TCOFLUSH); }

#else

#include <termios.h>
#if defined(__APPLE__)
#include <IOKit/serial/ioss.h>
#endif

_Static_assert(sizeof(struct termios) <= sizeof(struct chost_serial_settings), "too small");

uint32_t chost_serial_baud(int fd) {
    struct termios settings;
    return tcgetattr(fd, &settings) < 0 ? 0 : (uint32_t)cfgetospeed(&settings);
}

int chost_serial_configure(
    int fd, uint32_t baud, enum chost_flow_control flow, struct chost_serial_settings *saved) {
    struct termios settings;
    if (tcgetattr(fd, &settings) < 0) return errno;
    memcpy(saved->bytes, &settings, sizeof settings);
    cfmakeraw(&settings);
    settings.c_cflag |= CREAD | CLOCAL;
    settings.c_cflag &= ~(tcflag_t)(CRTSCTS | HUPCL);
    if (flow == CHOST_FLOW_RTS_CTS) settings.c_cflag |= CRTSCTS;
    if (flow == CHOST_FLOW_XON_XOFF) settings.c_iflag |= IXON | IXOFF;
    settings.c_cc[VMIN] = 1;
    settings.c_cc[VTIME] = 0;
    settings.c_cc[VSTART] = 0x11;
    settings.c_cc[VSTOP] = 0x13;
    if (cfsetspeed(&settings, baud) == 0) {
        if (tcsetattr(fd, TCSANOW, &settings) < 0) return errno;
    } else {
#if defined(__APPLE__)
        speed_t speed = baud;
        cfsetspeed(&settings, B9600);
        if (tcsetattr(fd, TCSANOW, &settings) < 0) return errno;
        if (ioctl(fd, IOSSIOSPEED, &speed) < 0) return errno;
#else
        return EINVAL;
#endif
    }
    return tcflush(fd, TCIOFLUSH) < 0 ? errno : 0;
}

int chost_serial_restore(int fd, const struct chost_serial_settings *saved) {
    struct termios settings;
    memcpy(&settings, saved->bytes, sizeof settings);
    settings.c_cflag &= ~(tcflag_t)HUPCL;
    return tcsetattr(fd, TCSANOW, &settings) < 0 ? errno : 0;
}

void chost_serial_discard_output(int fd) { tcflush(fd, TCOFLUSH); }

#endif

bool chost_serial_is_pseudo(int fd) {
#if defined(__linux__)
    struct stat status;
    // Documentation/admin-guide/devices.txt: majors 136 to 143 are UNIX98 PTY slaves.
    return fstat(fd, &status) == 0 && major(status.st_rdev) >= 136 && major(status.st_rdev) <= 143;
#else
    (void)fd;
    return false;
#endif
}

bool chost_serial_is_master(int fd) {
#if defined(__linux__)
    struct stat status;
    // Documentation/admin-guide/devices.txt: 5, 2 is /dev/ptmx, wherever it lies.
    return fstat(fd, &status) == 0 && status.st_rdev == makedev(5, 2);
#else
    (void)fd;
    return false;
#endif
}

int chost_serial_exclusive(int fd, bool exclusive) {
    return ioctl(fd, exclusive ? TIOCEXCL : TIOCNXCL) < 0 ? errno : 0;
}

int chost_serial_lines(int fd, int dtr, int rts) {
    int set = (dtr == 1 ? TIOCM_DTR : 0) | (rts == 1 ? TIOCM_RTS : 0);
    int cleared = (dtr == 0 ? TIOCM_DTR : 0) | (rts == 0 ? TIOCM_RTS : 0);
    if (cleared == 0) return set && ioctl(fd, TIOCMBIS, &set) < 0 ? errno : 0;
    if (set == 0) return ioctl(fd, TIOCMBIC, &cleared) < 0 ? errno : 0;
    // In one call: some circuits between the two lines and the chip see what is between two.
    int lines = 0;
    if (ioctl(fd, TIOCMGET, &lines) < 0) return errno;
    lines = (lines | set) & ~cleared;
    return ioctl(fd, TIOCMSET, &lines) < 0 ? errno : 0;
}

int chost_serial_unsent(int fd) {
    int count = 0;
    return ioctl(fd, TIOCOUTQ, &count) < 0 ? 0 : count;
}
