/// The CBOR of SMP messages and of Evidence, RFC 8949. Bounded, and nothing is allocated.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// Every key that a request of the contract may hold.
enum dp_field {
    DP_FIELD_ALG,
    DP_FIELD_D,
    DP_FIELD_DATA,
    DP_FIELD_KID,
    DP_FIELD_LEN,
    DP_FIELD_NONCE,
    DP_FIELD_OFF,
    DP_FIELD_REPLACE,
    DP_FIELD_SHA256,
    DP_FIELD_TYPE,
    DP_FIELD_VALUE,
    DP_FIELD_COUNT,
};

enum dp_item_kind {
    DP_ITEM_ABSENT,
    DP_ITEM_UNSIGNED,  ///< `number`, 0…2³²−1
    DP_ITEM_NEGATIVE,  ///< the value is −1 − `number`
    DP_ITEM_BYTES,     ///< `number` octets at `bytes`
    DP_ITEM_TEXT,      ///< `number` octets of UTF-8 at `bytes`
    DP_ITEM_BOOL,      ///< `number` is 0 or 1
    DP_ITEM_OTHER,     ///< well-formed, but nothing that a request uses
};

struct dp_item {
    enum dp_item_kind kind;
    uint32_t number;
    uint8_t *bytes;
};

/// A request's values. Byte and text values point into the message that was read.
struct dp_request {
    struct dp_item fields[DP_FIELD_COUNT];
};

/// Whether the octets are one well-formed map. Changes nothing.
bool dp_cbor_is_map(const uint8_t *cbor, size_t length);

/// Reads exactly one map. Unknown keys are skipped and indefinite lengths accepted; the pieces of
/// an indefinite string are joined in place. False if `cbor` is not well-formed, names a field
/// twice, is nested deeper than 6, or is followed by anything.
bool dp_cbor_read_request(uint8_t *cbor, size_t length, struct dp_request *request);

/// Whether the field is a number of 32 bits, byte string or bool; false as well if it is absent.
bool dp_request_uint(const struct dp_request *request, enum dp_field field, uint32_t *number);
bool dp_request_bytes(
    const struct dp_request *request, enum dp_field field, const uint8_t **bytes, size_t *length);
bool dp_request_has(const struct dp_request *request, enum dp_field field);

/// Appends to a bounded buffer. `full` is sticky: check it once, at the end.
struct dp_writer {
    uint8_t *at;
    uint8_t *end;
    bool full;
};

void dp_cbor_map(struct dp_writer *out, uint32_t count);
void dp_cbor_array(struct dp_writer *out, uint32_t count);
void dp_cbor_tag(struct dp_writer *out, uint32_t tag);
void dp_cbor_uint(struct dp_writer *out, uint32_t number);
void dp_cbor_int(struct dp_writer *out, int32_t number);
void dp_cbor_bool(struct dp_writer *out, bool value);
/// `bytes` may lie inside the buffer, at or behind where it is going.
void dp_cbor_bytes(struct dp_writer *out, const uint8_t *bytes, size_t length);
/// The head of a byte string and room for its octets, to be filled by the caller; NULL if full.
uint8_t *dp_cbor_bytes_space(struct dp_writer *out, size_t length);
void dp_cbor_text(struct dp_writer *out, const char *text);
void dp_cbor_text_bytes(struct dp_writer *out, const uint8_t *utf8, size_t length);
