// Arm MPS2 with the AN386 image: Cortex-M4 at 25 MHz. QEMU: -M mps2-an386. A test bench, not a
// product: it has neither a chip ID, nor non-volatile memory, nor a source of entropy, so all three
// live in its external RAM, which stands for battery-backed memory and which the emulator keeps in
// a file. Source of registers: Application Note AN386 and the Cortex-M System Design Kit TRM.
#if defined(BOARD_MPS2_AN386)

#include <string.h>

#include "board.h"
#include "cortex_m.h"
#include "device_provisioning_hal.h"
#include "factory_page.h"
#include "flash_range.h"
#include "mbedtls/sha256.h"

// MARK: Memory map

#define STATE 0x21000000u  // this file's own: see `struct state`
#define SEED_PAGE 0x21001000u  // 1 KiB of injected entropy
#define FACTORY_PAGE 0x21002000u
#define RECORDS 0x21008000u
const uint32_t dp_hal_flash_page_size = 1024;
const uint32_t dp_hal_flash_page_count = 16;

enum { seed_length = 1024 };

// A fresh memory file is all zeros; flash that was never written is all ones.
struct state {
    uint32_t formatted;  // FORMATTED once the records were erased
    uint32_t draws;  // how often entropy was drawn, over all boots
};
#define FORMATTED 0x31565250u
static volatile struct state *const state = (volatile struct state *)STATE;

// MARK: Identity

size_t dp_hal_device_id(uint8_t id[64]) {
    return factory_page_id((const uint8_t *)FACTORY_PAGE, id);
}

const char *dp_hal_board(void) { return "mps2-an386"; }
const char *dp_hal_firmware(void) { return FIRMWARE_VERSION; }

// MARK: Timer

#define TIMER0 0x40000000u
#define TIMER_CTRL (TIMER0 + 0x0)
#define TIMER_VALUE (TIMER0 + 0x4)
#define TIMER_RELOAD (TIMER0 + 0x8)
#define TIMER_INTCLEAR (TIMER0 + 0xC)

static void timer_start(void) {
    REGISTER(TIMER_RELOAD) = 25000000 / ticks_per_second - 1;
    REGISTER(TIMER_VALUE) = 25000000 / ticks_per_second - 1;
    REGISTER(TIMER_CTRL) = 1u << 3 | 1;  // interrupt, enable
}

void timer_handler(void) {
    REGISTER(TIMER_INTCLEAR) = 1;
    cortex_m_tick();
}

// MARK: Serial port

#define UART0 0x40004000u
#define UART_DATA (UART0 + 0x00)
#define UART_STATE (UART0 + 0x04)
#define UART_CTRL (UART0 + 0x08)
#define UART_INTCLEAR (UART0 + 0x0C)
#define UART_BAUDDIV (UART0 + 0x10)
enum { transmit_full = 1 << 0, receive_full = 1 << 1 };

static void uart_start(void) {
    REGISTER(UART_BAUDDIV) = 217;  // 25 MHz / 115200
    REGISTER(UART_CTRL) = 1u << 3 | 1u << 1 | 1u << 0;  // receive interrupt, receive, transmit
    // QEMU offers the first byte of its peer only after the data register was read once.
    (void)REGISTER(UART_DATA);
}

void uart_handler(void) {
    while (REGISTER(UART_STATE) & receive_full && cortex_m_has_room()) {
        REGISTER(UART_INTCLEAR) = 1u << 1;
        cortex_m_received((uint8_t)REGISTER(UART_DATA));
    }
}

void uart_write(const uint8_t *bytes, size_t length) {
    while (length--) {
        while (REGISTER(UART_STATE) & transmit_full) {}
        REGISTER(UART_DATA) = *bytes++;
    }
}

// MARK: Injected entropy

/// SHA-256 of the seed page, a counter that outlives resets, and the block's number: as
/// unpredictable as the seed page that was written from outside, and never the same twice.
bool dp_hal_entropy(uint8_t *out, size_t length) {
    const uint8_t *seed = (const uint8_t *)SEED_PAGE;
    uint8_t any = 0, all = 0xFF;
    for (size_t index = 0; index < seed_length; index++) {
        any |= seed[index];
        all &= seed[index];
    }
    if (any == 0 || all == 0xFF) return false;
    const uint32_t draw = state->draws + 1;
    if (draw == 0) return false;
    // Before any of the output exists, so that a reset in between repeats nothing.
    state->draws = draw;
    for (uint32_t block = 0; length > 0; block++) {
        const uint32_t position[2] = {draw, block};
        uint8_t digest[32];
        mbedtls_sha256_context context;
        mbedtls_sha256_init(&context);
        const bool done = mbedtls_sha256_starts_ret(&context, 0) == 0
            && mbedtls_sha256_update_ret(&context, seed, seed_length) == 0
            && mbedtls_sha256_update_ret(&context, (const uint8_t *)position, sizeof position) == 0
            && mbedtls_sha256_finish_ret(&context, digest) == 0;
        mbedtls_sha256_free(&context);
        if (!done) return false;
        const size_t part = length < sizeof digest ? length : sizeof digest;
        memcpy(out, digest, part);
        out += part;
        length -= part;
    }
    return true;
}

// MARK: Storage that behaves as NOR flash: erasing sets bits, programming clears them

void dp_hal_flash_read(uint32_t offset, void *out, size_t length) {
    memcpy(out, (const void *)(uintptr_t)(RECORDS + offset), length);
}

bool dp_hal_flash_program(uint32_t offset, const void *bytes, size_t length) {
    if (!are_flash_words(offset, length)) return false;
    const uint32_t *words = bytes;
    for (size_t index = 0; index < length / 4; index++) {
        REGISTER(RECORDS + offset + 4 * index) &= words[index];
    }
    return memcmp((const void *)(uintptr_t)(RECORDS + offset), bytes, length) == 0;
}

bool dp_hal_flash_erase(uint32_t offset) {
    if (!is_flash_page(offset)) return false;
    memset((void *)(uintptr_t)(RECORDS + offset), 0xFF, dp_hal_flash_page_size);
    return true;
}

// MARK: Start

void board_start(void) {
    if (state->formatted != FORMATTED) {
        for (uint32_t page = 0; page < dp_hal_flash_page_count; page++) {
            dp_hal_flash_erase(page * dp_hal_flash_page_size);
        }
        state->formatted = FORMATTED;
    }
    uart_start();
    timer_start();
    cortex_m_start();
}

#endif
