/// The device's own CBOR reader and writer, which are not part of its interface.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum test_kind {
    TEST_ABSENT,
    TEST_UNSIGNED,  ///< `number`
    TEST_NEGATIVE,  ///< −1 − `number`
    TEST_BYTES,     ///< `number` octets at `bytes`
    TEST_TEXT,      ///< `number` octets at `bytes`
    TEST_BOOL,      ///< `number` is 0 or 1
    TEST_OTHER,     ///< read: nothing that a request uses
    TEST_ARRAY,     ///< written: the head of `number` items
    TEST_MAP,       ///< written: the head of `number` pairs
    TEST_TAG,       ///< written: the head
};

struct test_item {
    enum test_kind kind;
    uint32_t number;
    const uint8_t *bytes;
};

/// The fields that a request may have, in the order of their names.
enum { TEST_FIELD_COUNT = 11 };

/// Reads a request; its strings point into `cbor`, which the reader may change.
bool test_read_request(
    uint8_t *cbor, size_t length, struct test_item fields[TEST_FIELD_COUNT]);

/// Writes items one behind the other; their length, 0 where `capacity` octets are too few.
size_t test_write(
    const struct test_item *items, size_t count, uint8_t *out, size_t capacity);
