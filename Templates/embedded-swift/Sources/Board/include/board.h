#pragma once

#include <stddef.h>
#include <stdint.h>

/// The version that the device reports; at most 32 characters.
#define FIRMWARE_VERSION "1.0"

/// No byte came; returned about once a second.
#define BOARD_IDLE (-1)
/// No byte will ever come again. Only a host process sees this.
#define BOARD_CLOSED (-2)

/// Clocks, serial port, heap and, where it needs one, the format of the storage. Call it first.
void board_start(void);

/// The next byte from the host (0…255), BOARD_IDLE or BOARD_CLOSED. Sleeps until there is something
/// to say.
int32_t board_receive(void);

/// Log text, to every line that a host may read.
void board_log(const uint8_t *bytes, size_t length);

/// Where the board is made to report, a line with the device's key, for hosts that only listen: to every
/// line that a host may read. On a board: built with `-Xcc -DBOARD_REPORTS`. As a process: with
/// PROVISION_NATIVE_REPORT in the environment.
void board_report(void);

/// Seconds since `board_start`.
uint32_t board_uptime(void);

/// Bytes of stack that no call has touched since the reset; 0 where the stack has no fixed size.
uint32_t board_unused_stack(void);
