#pragma once

#include <stddef.h>

/// A file of `platforms/`, as it was when this was built.
struct embedded_platform {
    /// The file's path in `platforms/` without `.toml`: `microbit`, `families/nrf51`; null after the last one.
    const char *name;
    const unsigned char *bytes;
    size_t length;
};

/// The rules of `platforms/` for udev, in the same way; the name is the file's.
struct embedded_platform embedded_udev_rules(void);

/// The platform at `index`; its name is null from the end on.
struct embedded_platform embedded_platform_at(size_t index);
