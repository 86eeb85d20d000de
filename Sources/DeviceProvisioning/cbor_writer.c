#include <string.h>

#include "cbor.h"

enum { UNSIGNED = 0, NEGATIVE = 1, BYTES = 2, TEXT = 3, ARRAY = 4, MAP = 5, TAG = 6 };

static size_t head_length(uint32_t argument) {
    return argument < 24 ? 1 : argument < 0x100 ? 2 : argument < 0x10000 ? 3 : 5;
}

// The shortest form, as deterministic encoding wants: RFC 8949 §4.2.1.
static void head_at(uint8_t *at, uint8_t major, uint32_t argument) {
    size_t length = head_length(argument);
    uint8_t information = (uint8_t)argument;
    if (length > 1) information = length == 2 ? 24 : length == 3 ? 25 : 26;
    at[0] = (uint8_t)(major << 5 | information);
    for (size_t index = length - 1; index > 0; index--) {
        at[index] = (uint8_t)argument;
        argument >>= 8;
    }
}

static uint8_t *take(struct dp_writer *out, size_t length) {
    if (out->full || (size_t)(out->end - out->at) < length) {
        out->full = true;
        return NULL;
    }
    uint8_t *at = out->at;
    out->at += length;
    return at;
}

static void head(struct dp_writer *out, uint8_t major, uint32_t argument) {
    uint8_t *at = take(out, head_length(argument));
    if (at) head_at(at, major, argument);
}

static void string(struct dp_writer *out, uint8_t major, const uint8_t *bytes, size_t length) {
    size_t offset = head_length((uint32_t)length);
    uint8_t *at = take(out, offset + length);
    if (!at) return;
    // The octets first: they may lie where the head goes.
    if (length) memmove(at + offset, bytes, length);
    head_at(at, major, (uint32_t)length);
}

void dp_cbor_map(struct dp_writer *out, uint32_t count) { head(out, MAP, count); }

void dp_cbor_array(struct dp_writer *out, uint32_t count) { head(out, ARRAY, count); }

void dp_cbor_tag(struct dp_writer *out, uint32_t tag) { head(out, TAG, tag); }

void dp_cbor_uint(struct dp_writer *out, uint32_t number) { head(out, UNSIGNED, number); }

void dp_cbor_int(struct dp_writer *out, int32_t number) {
    if (number < 0)
        head(out, NEGATIVE, (uint32_t)(-1 - number));
    else
        head(out, UNSIGNED, (uint32_t)number);
}

void dp_cbor_bool(struct dp_writer *out, bool value) {
    uint8_t *at = take(out, 1);
    if (at) *at = value ? 0xf5 : 0xf4;
}

void dp_cbor_bytes(struct dp_writer *out, const uint8_t *bytes, size_t length) {
    string(out, BYTES, bytes, length);
}

uint8_t *dp_cbor_bytes_space(struct dp_writer *out, size_t length) {
    head(out, BYTES, (uint32_t)length);
    return take(out, length);
}

void dp_cbor_text(struct dp_writer *out, const char *text) {
    string(out, TEXT, (const uint8_t *)text, strlen(text));
}

void dp_cbor_text_bytes(struct dp_writer *out, const uint8_t *utf8, size_t length) {
    string(out, TEXT, utf8, length);
}

