#pragma once

#include <libusb.h>

/// libusb looks for no devices, and starts no thread to do so: descriptors are handed to it. Swift imports no
/// variadic function.
static inline int clibusb_disable_discovery(libusb_context *context) {
    return libusb_set_option(context, LIBUSB_OPTION_NO_DEVICE_DISCOVERY);
}
