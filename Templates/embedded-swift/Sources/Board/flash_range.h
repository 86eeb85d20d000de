#pragma once

#include "device_provisioning_hal.h"

/// Whether these are whole words within the record store.
static inline bool are_flash_words(uint32_t offset, size_t length) {
    const uint32_t size = dp_hal_flash_page_size * dp_hal_flash_page_count;
    return (offset | length) % 4 == 0 && offset <= size && length <= size - offset;
}

/// Whether a page of the record store begins here.
static inline bool is_flash_page(uint32_t offset) {
    return offset % dp_hal_flash_page_size == 0 && are_flash_words(offset, dp_hal_flash_page_size);
}
