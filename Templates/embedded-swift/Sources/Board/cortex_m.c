#if defined(BOARD_BARE_METAL)

#include "cortex_m.h"

#include <stddef.h>

#include "board.h"
#include "device_provisioning_hal.h"
#include "mbedtls/memory_buffer_alloc.h"

int main(int argc, char **argv);

// From the linker script. The stack lies at the bottom of RAM: when it overflows, the chip faults
// at once instead of overwriting variables.
extern uint32_t stack_bottom[], stack_top[], data_start[], data_end[], data_image[];
extern uint32_t bss_start[], bss_end[];
extern uint8_t heap_start[], heap_end[];

#define STACK_PAINT 0xC0DEC0DEu

#define NVIC_ISER 0xE000E100u
#define NVIC_ICER 0xE000E180u
#define SCB_AIRCR 0xE000ED0Cu
#define AIRCR_SYSRESETREQ (0x05FA0000u | 1u << 2)

void reset_handler(void);

// MARK: Reset

static void unexpected_handler(void) {
    for (;;) __asm volatile("wfi");
}

typedef void handler(void);

__attribute__((section(".vectors"), used)) static handler *const vectors[16 + interrupt_count] = {
    [0] = (handler *)stack_top,
    [1] = reset_handler,
    [2 ... 15] = unexpected_handler,
    [16 + uart_interrupt] = uart_handler,
    [16 + timer_interrupt] = timer_handler,
};

void reset_handler(void) {
    // Up to this function's own frame.
    for (uint32_t *word = stack_bottom; word < stack_top - 16; word++) *word = STACK_PAINT;
    const uint32_t *image = data_image;
    for (uint32_t *word = data_start; word < data_end; word++) *word = *image++;
    for (uint32_t *word = bss_start; word < bss_end; word++) *word = 0;
    main(0, NULL);
    unexpected_handler();
}

uint32_t board_unused_stack(void) {
    const uint32_t *word = stack_bottom;
    while (word < stack_top && *word == STACK_PAINT) word++;
    return (uint32_t)((uintptr_t)word - (uintptr_t)stack_bottom);
}

void dp_hal_reset(void) {
    __asm volatile("dsb" ::: "memory");
    REGISTER(SCB_AIRCR) = AIRCR_SYSRESETREQ;
    unexpected_handler();
}

// MARK: Bytes and seconds

// Between a request and its answer the host sends nothing, so this only has to cover what arrives
// while a line is decoded. An emulated UART is faster than its baud rate: what finds no room waits
// in the UART.
enum { received_capacity = 256 };
static uint8_t received[received_capacity];
static volatile uint32_t received_head, received_tail;
static volatile uint32_t ticks;

void cortex_m_start(void) {
    mbedtls_memory_buffer_alloc_init(heap_start, (size_t)(heap_end - heap_start));
    rtt_line_start();
    REGISTER(NVIC_ISER) = 1u << uart_interrupt | 1u << timer_interrupt;
}

void cortex_m_received(uint8_t byte) {
    const uint32_t head = received_head;
    received[head % received_capacity] = byte;
    received_head = head + 1;
}

bool cortex_m_has_room(void) {
    if (received_head - received_tail < received_capacity) return true;
    REGISTER(NVIC_ICER) = 1u << uart_interrupt;
    return false;
}

void cortex_m_tick(void) {
    ticks++;
}

int32_t board_receive(void) {
    static uint32_t next_idle = ticks_per_second;
    for (;;) {
        const uint32_t now = ticks;
        const int32_t from_probe = rtt_line_receive();
        if (from_probe >= 0) return from_probe;
        const uint32_t tail = received_tail;
        if (tail != received_head) {
            const uint8_t byte = received[tail % received_capacity];
            received_tail = tail + 1;
            REGISTER(NVIC_ISER) = 1u << uart_interrupt;
            rtt_line_leave();
            return byte;
        }
        if ((int32_t)(now - next_idle) >= 0) {
            next_idle = now + ticks_per_second;
            return BOARD_IDLE;
        }
        if (rtt_line_is_used(now)) continue;
        // With interrupts held back, one that comes between the test and the sleep still ends the
        // sleep.
        __asm volatile("cpsid i" ::: "memory");
        if (received_tail == received_head && ticks == now) __asm volatile("dsb\n wfi" ::: "memory");
        __asm volatile("cpsie i\n isb" ::: "memory");
    }
}

uint32_t board_uptime(void) { return ticks / ticks_per_second; }

#endif
