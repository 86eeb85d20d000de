// BBC micro:bit v1: nRF51822, Cortex-M0 at 16 MHz, 256 KiB flash, 16 KiB RAM. QEMU: -M microbit.
// Source of registers and sequences: nRF51 Series Reference Manual 3.0.
#if defined(BOARD_MICROBIT)

#include <string.h>

#include "board.h"
#include "cortex_m.h"
#include "device_provisioning_hal.h"
#include "factory_page.h"
#include "flash_range.h"

// MARK: Memory map; boards/microbit/linker.ld reserves the same pages

#define RECORDS 0x0003B000u
#define FACTORY_PAGE 0x0003F400u
const uint32_t dp_hal_flash_page_size = 1024;
const uint32_t dp_hal_flash_page_count = 16;

// MARK: Identity

#define FICR_DEVICEID 0x10000060u

size_t dp_hal_device_id(uint8_t id[64]) {
    const size_t length = factory_page_id((const uint8_t *)FACTORY_PAGE, id);
    if (length > 0) return length;
    // Its two words in memory order, as Ariel OS, Embassy and Zephyr report it. QEMU's is the same
    // in every instance.
    for (size_t index = 0; index < 8; index++) {
        id[index] = (uint8_t)(REGISTER(FICR_DEVICEID + (index & 4)) >> 8 * (index & 3));
    }
    return 8;
}

const char *dp_hal_board(void) { return "microbit"; }
const char *dp_hal_firmware(void) { return FIRMWARE_VERSION; }

// MARK: Clock and timer (chapters 13 and 18)

#define CLOCK_HFCLKSTART 0x40000000u
#define CLOCK_HFCLKSTARTED 0x40000100u

#define TIMER0 0x40008000u
#define TIMER_START (TIMER0 + 0x000)
#define TIMER_CLEAR (TIMER0 + 0x00C)
#define TIMER_COMPARE0 (TIMER0 + 0x140)
#define TIMER_SHORTS (TIMER0 + 0x200)
#define TIMER_INTENSET (TIMER0 + 0x304)
#define TIMER_BITMODE (TIMER0 + 0x508)
#define TIMER_PRESCALER (TIMER0 + 0x510)
#define TIMER_CC0 (TIMER0 + 0x540)

static void timer_start(void) {
    REGISTER(TIMER_BITMODE) = 3;  // 32 bits
    REGISTER(TIMER_PRESCALER) = 9;  // 16 MHz / 2^9 = 31 250 Hz
    REGISTER(TIMER_CC0) = 31250 / ticks_per_second;
    REGISTER(TIMER_SHORTS) = 1;  // COMPARE0 clears
    REGISTER(TIMER_INTENSET) = 1u << 16;
    REGISTER(TIMER_CLEAR) = 1;
    REGISTER(TIMER_START) = 1;
}

void timer_handler(void) {
    if (REGISTER(TIMER_COMPARE0) == 0) return;
    REGISTER(TIMER_COMPARE0) = 0;
    cortex_m_tick();
}

// MARK: Serial port (chapter 29): 115200 baud, 8N1, to the interface chip's USB port

#define UART 0x40002000u
#define UART_STARTRX (UART + 0x000)
#define UART_STARTTX (UART + 0x008)
#define UART_RXDRDY (UART + 0x108)
#define UART_TXDRDY (UART + 0x11C)
#define UART_INTENSET (UART + 0x304)
#define UART_ENABLE (UART + 0x500)
#define UART_PSELTXD (UART + 0x50C)
#define UART_PSELRXD (UART + 0x514)
#define UART_RXD (UART + 0x518)
#define UART_TXD (UART + 0x51C)
#define UART_BAUDRATE (UART + 0x524)

#define GPIO_OUTSET 0x50000508u
#define GPIO_PIN_CNF(pin) (0x50000700u + 4 * (pin))

enum { tx_pin = 24, rx_pin = 25 };

static void uart_start(void) {
    // §29.3: the pins get their idle state through GPIO, which rules while the UART is off.
    REGISTER(GPIO_OUTSET) = 1u << tx_pin;
    REGISTER(GPIO_PIN_CNF(tx_pin)) = 3;  // output, input buffer off
    REGISTER(GPIO_PIN_CNF(rx_pin)) = 0;  // input
    REGISTER(UART_PSELTXD) = tx_pin;
    REGISTER(UART_PSELRXD) = rx_pin;
    REGISTER(UART_BAUDRATE) = 0x01D7E000;
    REGISTER(UART_ENABLE) = 4;
    REGISTER(UART_RXDRDY) = 0;
    REGISTER(UART_INTENSET) = 1u << 2;  // RXDRDY
    REGISTER(UART_STARTTX) = 1;
    REGISTER(UART_STARTRX) = 1;
}

void uart_handler(void) {
    // The FIFO holds 6 bytes. Reading RXD raises the event again for the next one, so the event is
    // cleared before.
    while (REGISTER(UART_RXDRDY) && cortex_m_has_room()) {
        REGISTER(UART_RXDRDY) = 0;
        cortex_m_received((uint8_t)REGISTER(UART_RXD));
    }
}

void uart_write(const uint8_t *bytes, size_t length) {
    while (length--) {
        REGISTER(UART_TXDRDY) = 0;
        REGISTER(UART_TXD) = *bytes++;
        while (REGISTER(UART_TXDRDY) == 0) {}
    }
}

// MARK: Random number generator (chapter 21)

#define RNG 0x4000D000u
#define RNG_START (RNG + 0x000)
#define RNG_STOP (RNG + 0x004)
#define RNG_VALRDY (RNG + 0x100)
#define RNG_CONFIG (RNG + 0x504)
#define RNG_VALUE (RNG + 0x508)

static bool rng_byte(uint8_t *out) {
    // With bias correction a byte takes about 0.7 ms. At 16 MHz this many polls take some seconds; an
    // emulator's are a hundred times as fast, and on a busy host its generator comes late.
    uint32_t patience = 16000000;
    REGISTER(RNG_VALRDY) = 0;
    while (REGISTER(RNG_VALRDY) == 0) {
        if (--patience == 0) return false;
    }
    *out = (uint8_t)REGISTER(RNG_VALUE);
    return true;
}

bool dp_hal_entropy(uint8_t *out, size_t length) {
    REGISTER(RNG_CONFIG) = 1;  // bias correction
    REGISTER(RNG_START) = 1;
    bool alive = true;
    while (alive && length--) alive = rng_byte(out++);
    REGISTER(RNG_STOP) = 1;
    return alive;
}

// MARK: Flash (chapter 6)

#define NVMC_READY 0x4001E400u
#define NVMC_CONFIG 0x4001E504u
#define NVMC_ERASEPAGE 0x4001E508u
enum { nvmc_read_only = 0, nvmc_write = 1, nvmc_erase = 2 };

static void nvmc_configure(uint32_t mode) {
    REGISTER(NVMC_CONFIG) = mode;
    while (REGISTER(NVMC_READY) == 0) {}
}

void dp_hal_flash_read(uint32_t offset, void *out, size_t length) {
    memcpy(out, (const void *)(uintptr_t)(RECORDS + offset), length);
}

bool dp_hal_flash_program(uint32_t offset, const void *bytes, size_t length) {
    if (!are_flash_words(offset, length)) return false;
    const uint32_t *words = bytes;
    nvmc_configure(nvmc_write);
    for (size_t index = 0; index < length / 4; index++) {
        REGISTER(RECORDS + offset + 4 * index) = words[index];
        while (REGISTER(NVMC_READY) == 0) {}
    }
    nvmc_configure(nvmc_read_only);
    return memcmp((const void *)(uintptr_t)(RECORDS + offset), bytes, length) == 0;
}

bool dp_hal_flash_erase(uint32_t offset) {
    if (!is_flash_page(offset)) return false;
    nvmc_configure(nvmc_erase);
    REGISTER(NVMC_ERASEPAGE) = RECORDS + offset;
    while (REGISTER(NVMC_READY) == 0) {}
    nvmc_configure(nvmc_read_only);
    return true;
}

// MARK: Start

void board_start(void) {
    // The baud rate needs the crystal; the oscillator that runs after a reset is 1 to 6 percent
    // off.
    REGISTER(CLOCK_HFCLKSTARTED) = 0;
    REGISTER(CLOCK_HFCLKSTART) = 1;
    while (REGISTER(CLOCK_HFCLKSTARTED) == 0) {}
    uart_start();
    timer_start();
    cortex_m_start();
}

#endif
