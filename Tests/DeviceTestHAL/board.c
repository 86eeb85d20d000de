// getentropy is no part of C11.
#define _DEFAULT_SOURCE
#include "device_test_hal.h"

#include <psa/crypto.h>
#include <string.h>
#include <unistd.h>
#ifdef __APPLE__
#include <sys/random.h>
#endif

#include "device_provisioning_hal.h"

// A micro:bit's storage: 16 pages of 1 KiB.
enum { PAGE_SIZE = 1024, PAGE_COUNT = 16, FLASH_SIZE = PAGE_SIZE * PAGE_COUNT };
const uint32_t dp_hal_flash_page_size = PAGE_SIZE, dp_hal_flash_page_count = PAGE_COUNT;

static struct {
    uint8_t bytes[FLASH_SIZE];
    bool programmed[FLASH_SIZE / 4];
    uint32_t operations, breaches, cut_at;
    enum test_tear tear;
    bool cutting, cut;
} flash;

static struct {
    uint8_t id[64];
    size_t id_length;
    char name[64], firmware[64];
    bool entropy;
    uint32_t resets;
} board;

static struct {
    uint8_t bytes[2][65536];
    size_t length;
    int current;
} output;

void test_board_set_id(const uint8_t *id, size_t length) {
    memcpy(board.id, id, length);
    board.id_length = length;
}

void test_board_set_name(const char *name) {
    memset(board.name, 0, sizeof board.name);
    strncpy(board.name, name, sizeof board.name - 1);
}

void test_board_set_firmware(const char *firmware) {
    memset(board.firmware, 0, sizeof board.firmware);
    strncpy(board.firmware, firmware, sizeof board.firmware - 1);
}

void test_board_set_entropy(bool alive) { board.entropy = alive; }

void test_board_power_cycle(void) {
    mbedtls_psa_crypto_free();
    flash.cutting = flash.cut = false;
    output.length = 0;
}

void test_board_reset(void) {
    test_board_power_cycle();
    memset(&flash, 0, sizeof flash);
    memset(flash.bytes, 0xff, sizeof flash.bytes);
    memset(&board, 0, sizeof board);
    test_board_set_id((const uint8_t[]){0, 1, 2, 3, 4, 5, 6, 7}, 8);
    test_board_set_name("test-board");
    test_board_set_firmware("1.2.3");
    board.entropy = true;
}

uint32_t test_flash_operations(void) { return flash.operations; }

void test_flash_cut_at(uint32_t operation, enum test_tear tear) {
    flash.cut_at = operation;
    flash.tear = tear;
    flash.cutting = true;
}

bool test_flash_was_cut(void) { return flash.cut; }

uint32_t test_flash_breaches(void) { return flash.breaches; }

uint32_t test_flash_size(void) { return FLASH_SIZE; }

uint8_t *test_flash_bytes(void) { return flash.bytes; }

void test_flash_restore(const uint8_t *bytes) {
    memcpy(flash.bytes, bytes, sizeof flash.bytes);
    for (uint32_t index = 0; index < FLASH_SIZE; index++)
        if (bytes[index] != 0xff) flash.programmed[index / 4] = true;
}

const uint8_t *test_output_take(size_t *length) {
    const uint8_t *bytes = output.bytes[output.current];
    *length = output.length;
    output.current ^= 1;
    output.length = 0;
    return bytes;
}

uint32_t test_resets(void) { return board.resets; }

// Whether the operation happens, and how: 1 in full, 0 not at all, -1 by half.
static int next_operation(void) {
    if (flash.cut) return 0;
    if (!flash.cutting || flash.operations != flash.cut_at) {
        flash.operations++;
        return 1;
    }
    flash.cut = true;
    return flash.tear == TEST_TEAR_NOTHING ? 0 : flash.tear == TEST_TEAR_HALF ? -1 : 1;
}

void dp_hal_flash_read(uint32_t offset, void *out, size_t length) {
    if (length > FLASH_SIZE || offset > FLASH_SIZE - length) {
        flash.breaches++;
        memset(out, 0, length);
        return;
    }
    memcpy(out, flash.bytes + offset, length);
}

static bool program_word(uint32_t offset, const uint8_t *bytes) {
    // Which bits a dying supply still changes: a different half at each word.
    static const uint8_t masks[4] = {0x55, 0x0f, 0xf0, 0x33};
    int extent = next_operation();
    if (extent == 0) return false;
    if (flash.programmed[offset / 4]) flash.breaches++;
    flash.programmed[offset / 4] = true;
    for (int index = 0; index < 4; index++) {
        uint8_t kept = extent > 0 ? 0 : masks[(offset / 4 + (uint32_t)index) % 4];
        flash.bytes[offset + (uint32_t)index] &= bytes[index] | kept;
    }
    return !flash.cut;
}

bool dp_hal_flash_program(uint32_t offset, const void *bytes, size_t length) {
    bool aligned = offset % 4 == 0 && length % 4 == 0 && (uintptr_t)bytes % 4 == 0;
    if (!aligned || length > FLASH_SIZE || offset > FLASH_SIZE - length) {
        flash.breaches++;
        return false;
    }
    for (size_t done = 0; done < length; done += 4)
        if (!program_word(offset + (uint32_t)done, (const uint8_t *)bytes + done)) return false;
    return true;
}

bool dp_hal_flash_erase(uint32_t offset) {
    if (offset % PAGE_SIZE != 0 || offset >= FLASH_SIZE) {
        flash.breaches++;
        return false;
    }
    int extent = next_operation();
    if (extent == 0) return false;
    // By half: every second word is blank, the others keep what they had.
    for (uint32_t index = 0; index < PAGE_SIZE; index++)
        if (extent > 0 || index / 4 % 2 == 0) flash.bytes[offset + index] = 0xff;
    if (extent > 0) memset(flash.programmed + offset / 4, 0, PAGE_SIZE / 4 * sizeof(bool));
    return !flash.cut;
}

void dp_hal_write(const uint8_t *bytes, size_t length) {
    if (length > sizeof output.bytes[0] - output.length) return;
    memcpy(output.bytes[output.current] + output.length, bytes, length);
    output.length += length;
}

size_t dp_hal_device_id(uint8_t id[64]) {
    memcpy(id, board.id, board.id_length);
    return board.id_length;
}

const char *dp_hal_board(void) { return board.name; }

const char *dp_hal_firmware(void) { return board.firmware; }

bool dp_hal_entropy(uint8_t *out, size_t length) {
    if (!board.entropy) return false;
    return getentropy(out, length) == 0;
}

void dp_hal_reset(void) { board.resets++; }
