// The text of platforms/*.toml, and of the families and tools that they refer to, inside the executable, so
// that it is found wherever the executable is copied to. A test checks that every file is in the list below.
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
#define PLATFORM arduino-leonardo
#include "embed.h"
#define PLATFORM arduino-mega2560
#include "embed.h"
#define PLATFORM arduino-nano-every
#include "embed.h"
#define PLATFORM arduino-uno
#include "embed.h"
#define PLATFORM arduino-zero
#include "embed.h"
#define PLATFORM atmega328pb-xmini
#include "embed.h"
#define PLATFORM blackpill-f411ce
#include "embed.h"
#define PLATFORM efm32gg-stk3700
#include "embed.h"
#define PLATFORM esp32-c3-devkit-rust-1
#include "embed.h"
#define PLATFORM esp32-c3-devkitm-1
#include "embed.h"
#define PLATFORM esp32-c5-devkitc-1
#include "embed.h"
#define PLATFORM esp32-c6-devkitc-1
#include "embed.h"
#define PLATFORM esp32-c61-devkitc-1
#include "embed.h"
#define PLATFORM esp32-devkitc
#include "embed.h"
#define PLATFORM esp32-h2-devkitm-1
#include "embed.h"
#define PLATFORM esp32-p4-function-ev-board
#include "embed.h"
#define PLATFORM esp32-s2-devkitm-1
#include "embed.h"
#define PLATFORM esp32-s3-devkitc-1
#include "embed.h"
#define PLATFORM esp8684-devkitm-1
#include "embed.h"
#define PLATFORM feather-m0
#include "embed.h"
#define PLATFORM feather-m4-express
#include "embed.h"
#define PLATFORM microbit
#include "embed.h"
#define PLATFORM microbit-qemu
#include "embed.h"
#define PLATFORM microbit-qemu-rtt
#include "embed.h"
#define PLATFORM microbit-v2
#include "embed.h"
#define PLATFORM mps2-an386-qemu
#include "embed.h"
#define PLATFORM mps2-an386-qemu-rtt
#include "embed.h"
#define PLATFORM native
#include "embed.h"
#define PLATFORM nrf51dk
#include "embed.h"
#define PLATFORM nrf52833dk
#include "embed.h"
#define PLATFORM nrf52840dk
#include "embed.h"
#define PLATFORM nrf52840dongle
#include "embed.h"
#define PLATFORM nrf52dk
#include "embed.h"
#define PLATFORM nrf5340dk
#include "embed.h"
#define PLATFORM nrf5340dk-net
#include "embed.h"
#define PLATFORM nrf54l15dk
#include "embed.h"
#define PLATFORM nrf9151dk
#include "embed.h"
#define PLATFORM nrf9160dk
#include "embed.h"
#define PLATFORM nrf9161dk
#include "embed.h"
#define PLATFORM nucleo-c031c6
#include "embed.h"
#define PLATFORM nucleo-f072rb
#include "embed.h"
#define PLATFORM nucleo-f103rb
#include "embed.h"
#define PLATFORM nucleo-f207zg
#include "embed.h"
#define PLATFORM nucleo-f303re
#include "embed.h"
#define PLATFORM nucleo-f401re
#include "embed.h"
#define PLATFORM nucleo-f429zi
#include "embed.h"
#define PLATFORM nucleo-f446re
#include "embed.h"
#define PLATFORM nucleo-f722ze
#include "embed.h"
#define PLATFORM nucleo-f746zg
#include "embed.h"
#define PLATFORM nucleo-f767zi
#include "embed.h"
#define PLATFORM nucleo-g071rb
#include "embed.h"
#define PLATFORM nucleo-g474re
#include "embed.h"
#define PLATFORM nucleo-h563zi
#include "embed.h"
#define PLATFORM nucleo-h743zi
#include "embed.h"
#define PLATFORM nucleo-h753zi
#include "embed.h"
#define PLATFORM nucleo-h7a3zi-q
#include "embed.h"
#define PLATFORM nucleo-h7s3l8
#include "embed.h"
#define PLATFORM nucleo-l073rz
#include "embed.h"
#define PLATFORM nucleo-l152re
#include "embed.h"
#define PLATFORM nucleo-l476rg
#include "embed.h"
#define PLATFORM nucleo-l4r5zi
#include "embed.h"
#define PLATFORM nucleo-l552ze-q
#include "embed.h"
#define PLATFORM nucleo-u031r8
#include "embed.h"
#define PLATFORM nucleo-u083rc
#include "embed.h"
#define PLATFORM nucleo-u385rg-q
#include "embed.h"
#define PLATFORM nucleo-u575zi-q
#include "embed.h"
#define PLATFORM nucleo-wb55rg
#include "embed.h"
#define PLATFORM nucleo-wba25ce
#include "embed.h"
#define PLATFORM nucleo-wba52cg
#include "embed.h"
#define PLATFORM nucleo-wba65ri
#include "embed.h"
#define PLATFORM nucleo-wl55jc
#include "embed.h"
#define PLATFORM rpi-pico
#include "embed.h"
#define PLATFORM rpi-pico-2
#include "embed.h"
#define PLATFORM rpi-pico-2-probe
#include "embed.h"
#define PLATFORM rpi-pico-probe
#include "embed.h"
#define PLATFORM rpi-pico-w
#include "embed.h"
#define PLATFORM samd21-xpro
#include "embed.h"
#define PLATFORM same54-xpro
#include "embed.h"
#define PLATFORM slstk3400a
#include "embed.h"
#define PLATFORM slstk3701a
#include "embed.h"
#define PLATFORM sltb004a
#include "embed.h"
#define PLATFORM slwrb4180a
#include "embed.h"
#define PLATFORM stm32f0-discovery
#include "embed.h"
#define PLATFORM stm32f3-discovery
#include "embed.h"
#define PLATFORM stm32f4-discovery
#include "embed.h"
#define PLATFORM stm32l-discovery
#include "embed.h"
#define PLATFORM stm32mp157c-dk2
#include "embed.h"
#define PLATFORM stm32n6570-dk
#include "embed.h"
#define PLATFORM stm32vl-discovery
#include "embed.h"
#define PLATFORM xg24-dk2601b
#include "embed.h"
#define PLATFORM families/atmega
#include "embed.h"
#define PLATFORM families/atmega-pb
#include "embed.h"
#define PLATFORM families/efm32-series0
#include "embed.h"
#define PLATFORM families/efm32-series1
#include "embed.h"
#define PLATFORM families/efr32-series2
#include "embed.h"
#define PLATFORM families/esp32
#include "embed.h"
#define PLATFORM families/esp32c2
#include "embed.h"
#define PLATFORM families/esp32c3
#include "embed.h"
#define PLATFORM families/esp32c5
#include "embed.h"
#define PLATFORM families/esp32c6
#include "embed.h"
#define PLATFORM families/esp32c61
#include "embed.h"
#define PLATFORM families/esp32h2
#include "embed.h"
#define PLATFORM families/esp32p4
#include "embed.h"
#define PLATFORM families/esp32s2
#include "embed.h"
#define PLATFORM families/esp32s3
#include "embed.h"
#define PLATFORM families/megaavr0
#include "embed.h"
#define PLATFORM families/nrf51
#include "embed.h"
#define PLATFORM families/nrf52
#include "embed.h"
#define PLATFORM families/nrf53
#include "embed.h"
#define PLATFORM families/nrf53-net
#include "embed.h"
#define PLATFORM families/nrf54l
#include "embed.h"
#define PLATFORM families/nrf91
#include "embed.h"
#define PLATFORM families/rp2040
#include "embed.h"
#define PLATFORM families/rp2350
#include "embed.h"
#define PLATFORM families/samd21
#include "embed.h"
#define PLATFORM families/samd51
#include "embed.h"
#define PLATFORM families/stm32c0
#include "embed.h"
#define PLATFORM families/stm32f0
#include "embed.h"
#define PLATFORM families/stm32f1
#include "embed.h"
#define PLATFORM families/stm32f2
#include "embed.h"
#define PLATFORM families/stm32f3
#include "embed.h"
#define PLATFORM families/stm32f4
#include "embed.h"
#define PLATFORM families/stm32f72
#include "embed.h"
#define PLATFORM families/stm32f74
#include "embed.h"
#define PLATFORM families/stm32g0
#include "embed.h"
#define PLATFORM families/stm32g4
#include "embed.h"
#define PLATFORM families/stm32h5
#include "embed.h"
#define PLATFORM families/stm32h72
#include "embed.h"
#define PLATFORM families/stm32h7a3
#include "embed.h"
#define PLATFORM families/stm32h7rs
#include "embed.h"
#define PLATFORM families/stm32l0
#include "embed.h"
#define PLATFORM families/stm32l1
#include "embed.h"
#define PLATFORM families/stm32l1-small
#include "embed.h"
#define PLATFORM families/stm32l4
#include "embed.h"
#define PLATFORM families/stm32l5
#include "embed.h"
#define PLATFORM families/stm32mp15
#include "embed.h"
#define PLATFORM families/stm32n6
#include "embed.h"
#define PLATFORM families/stm32u0
#include "embed.h"
#define PLATFORM families/stm32u0-small
#include "embed.h"
#define PLATFORM families/stm32u3
#include "embed.h"
#define PLATFORM families/stm32u5
#include "embed.h"
#define PLATFORM families/stm32wb
#include "embed.h"
#define PLATFORM families/stm32wba2
#include "embed.h"
#define PLATFORM families/stm32wba5
#include "embed.h"
#define PLATFORM families/stm32wba6
#include "embed.h"
#define PLATFORM families/stm32wl
#include "embed.h"
#define PLATFORM tools/avrdude-arduino
#include "embed.h"
#define PLATFORM tools/avrdude-avr109
#include "embed.h"
#define PLATFORM tools/avrdude-jtag2updi
#include "embed.h"
#define PLATFORM tools/avrdude-wiring
#include "embed.h"
#define PLATFORM tools/dfu-util
#include "embed.h"
#define PLATFORM tools/espflash
#include "embed.h"
#define PLATFORM tools/esptool
#include "embed.h"
#define PLATFORM tools/nrfutil
#include "embed.h"
#define PLATFORM tools/nrfutil-dfu
#include "embed.h"
#define PLATFORM tools/openocd-cmsis-dap
#include "embed.h"
#define PLATFORM tools/openocd-jlink
#include "embed.h"
#define PLATFORM tools/openocd-stlink
#include "embed.h"
#define PLATFORM tools/picotool
#include "embed.h"
#define PLATFORM tools/probe-rs
#include "embed.h"
#define PLATFORM tools/pyocd
#include "embed.h"
#define PLATFORM tools/st-flash
#include "embed.h"
#define PLATFORM tools/west
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
