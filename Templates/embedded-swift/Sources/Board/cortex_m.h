#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REGISTER(address) (*(volatile uint32_t *)(uintptr_t)(address))

// What a board defines.

#if defined(BOARD_MICROBIT)
enum { uart_interrupt = 2, timer_interrupt = 8, interrupt_count = 32 };
#elif defined(BOARD_MPS2_AN386)
enum { uart_interrupt = 0, timer_interrupt = 8, interrupt_count = 32 };
#endif

/// How often `timer_handler` is called.
enum { ticks_per_second = 10 };

/// Returns when the bytes are out.
void uart_write(const uint8_t *bytes, size_t length);
void uart_handler(void);
void timer_handler(void);

// What every Cortex-M board shares.

/// Gives the heap to mbedTLS and lets the two interrupts through.
void cortex_m_start(void);
/// For `uart_handler`: whether another byte can be kept. If not, the handler must leave it in the
/// UART; it is called again once there is room.
bool cortex_m_has_room(void);
/// From `uart_handler`: keeps a byte for `board_receive`.
void cortex_m_received(uint8_t byte);
/// From `timer_handler`.
void cortex_m_tick(void);

// The channels through a debug probe: rtt_line.c.

void rtt_line_start(void);
/// The next byte from the probe's host, or -1.
int32_t rtt_line_receive(void);
/// The last byte came over the serial port: answers go there.
void rtt_line_leave(void);
/// Whether a host has used them within the last second or so, which no interrupt tells.
bool rtt_line_is_used(uint32_t ticks);
