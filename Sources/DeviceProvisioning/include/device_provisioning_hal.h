/// What a board supplies to the device library: link-time functions, one implementation per board.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// To the host. May block until the bytes are out.
void dp_hal_write(const uint8_t *bytes, size_t length);

/// The unique, stable ID of the chip. Returns its length, 1…64 octets.
size_t dp_hal_device_id(uint8_t id[64]);

/// The platform's name, such as "microbit": UTF-8, at most 32 octets.
const char *dp_hal_board(void);

/// The firmware's version: UTF-8, at most 32 octets.
const char *dp_hal_firmware(void);

/// Fills `out` with entropy; false if the source failed. Also the source behind
/// `mbedtls_hardware_poll` on bare metal, which the firmware supplies.
bool dp_hal_entropy(uint8_t *out, size_t length);

/// NOR flash for records: credentials, the lock and, on bare metal, the PSA keys.
///
/// Offsets count from 0. Erased octets read 0xFF. A word of 4 octets is programmed at most once
/// between two erases of its page; offset, length and pointer are multiples of 4. The page count
/// is even: the store uses two banks of half the pages each.
extern const uint32_t dp_hal_flash_page_size, dp_hal_flash_page_count;
void dp_hal_flash_read(uint32_t offset, void *out, size_t length);
bool dp_hal_flash_program(uint32_t offset, const void *bytes, size_t length);
/// Erases the page that begins at `offset`.
bool dp_hal_flash_erase(uint32_t offset);

/// Restarts the device; does not return on hardware. Called after the answer to a reset went out.
void dp_hal_reset(void);

#ifdef __cplusplus
}
#endif
