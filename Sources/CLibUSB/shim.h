#pragma once

#include <errno.h>
#include <libusb.h>
#if defined(__linux__)
#include <linux/usbdevice_fs.h>
#include <sys/ioctl.h>
#endif

/// libusb looks for no devices, and starts no thread to do so: descriptors are handed to it. Swift imports no
/// variadic function.
static inline int clibusb_disable_discovery(libusb_context *context) {
    return libusb_set_option(context, LIBUSB_OPTION_NO_DEVICE_DISCOVERY);
}

/// Has this host begin anew with an endpoint of a claimed interface, as the device did when its halt was cleared:
/// `fd` is the device's node. Returns 0 or an errno value.
static inline int clibusb_reset_endpoint(int fd, unsigned char endpoint) {
#if defined(__linux__)
    unsigned number = endpoint;
    return ioctl(fd, USBDEVFS_RESETEP, &number) < 0 ? errno : 0;
#else
    (void)fd, (void)endpoint;
    return ENOTSUP;
#endif
}
