// The text of platforms/*.toml inside the executable, so that it is found wherever the executable is
// copied to. A test checks that every file is in the list below.
//
// C, because `#embed` costs nothing: 60 files of 2 KiB compile in 0.1 s. As Swift array literals, which
// is what SwiftPM's `.embedInCode` makes of them, they took 10 s.

#include "platforms.h"

// Known to clang since 19 and to GCC since 15, in every language mode.
#pragma clang diagnostic ignored "-Wc23-extensions"

#define TEXT_OF(tokens) #tokens
#define TEXT(tokens) TEXT_OF(tokens)
#define FILE_OF(name) ../../platforms/name.toml

static const struct embedded_platform embedded_platforms[] = {
#define PLATFORM microbit
#include "embed.h"
#define PLATFORM microbit-qemu
#include "embed.h"
#define PLATFORM microbit-qemu-rtt
#include "embed.h"
#define PLATFORM mps2-an386-qemu
#include "embed.h"
#define PLATFORM mps2-an386-qemu-rtt
#include "embed.h"
#define PLATFORM native
#include "embed.h"
};

struct embedded_platform embedded_platform_at(size_t index) {
    static const size_t count = sizeof embedded_platforms / sizeof embedded_platforms[0];
    return index < count ? embedded_platforms[index] : (struct embedded_platform){0};
}

struct embedded_platform embedded_udev_rules(void) {
    static const unsigned char bytes[] = {
#embed "../../platforms/70-provision.rules"
    };
    return (struct embedded_platform){"70-provision.rules", bytes, sizeof bytes};
}
