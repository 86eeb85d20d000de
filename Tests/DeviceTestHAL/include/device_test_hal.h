/// A board in memory: flash whose power can be cut, and a host's end of the channel.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// A blank board: erased flash, 8-octet ID 0001020304050607, live entropy, no cut.
void test_board_reset(void);
/// Ends the run: RAM's keys are gone, flash stays. `dp_start` begins the next one.
void test_board_power_cycle(void);

void test_board_set_id(const uint8_t *id, size_t length);
/// At most 63 octets each, which is more than the library takes.
void test_board_set_name(const char *name);
void test_board_set_firmware(const char *firmware);
void test_board_set_entropy(bool alive);

/// Flash operations (word programs and page erases) so far.
uint32_t test_flash_operations(void);
/// What becomes of the operation during which power fails.
enum test_tear {
    TEST_TEAR_NOTHING,  ///< it did not begin
    TEST_TEAR_HALF,     ///< half of its bits changed
    TEST_TEAR_DONE,     ///< it was the last that worked
};
/// Cuts the power during operation `operation`, counted from 0 at the last reset. Operations
/// after that change nothing and fail, until the next power cycle.
void test_flash_cut_at(uint32_t operation, enum test_tear tear);
bool test_flash_was_cut(void);
/// Breaches of NOR flash's rules: words programmed twice, unaligned or out of range.
uint32_t test_flash_breaches(void);
uint32_t test_flash_size(void);
uint8_t *test_flash_bytes(void);
/// Makes the flash what it was when `bytes` were copied from it.
void test_flash_restore(const uint8_t *bytes);

/// What the device wrote since the last call; `*length` octets, valid until the next call.
const uint8_t *test_output_take(size_t *length);
uint32_t test_resets(void);
