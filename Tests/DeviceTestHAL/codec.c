#include "device_test_codec.h"

#include "cbor.h"

_Static_assert((int)TEST_OTHER == (int)DP_ITEM_OTHER, "the kinds that are read are the same");
_Static_assert((int)TEST_FIELD_COUNT == (int)DP_FIELD_COUNT, "and so are the fields");

bool test_read_request(
    uint8_t *cbor, size_t length, struct test_item fields[TEST_FIELD_COUNT]) {
    struct dp_request request;
    if (!dp_cbor_read_request(cbor, length, &request)) return false;
    for (int field = 0; field < DP_FIELD_COUNT; field++) {
        const struct dp_item *item = &request.fields[field];
        fields[field] = (struct test_item){(enum test_kind)item->kind, item->number, item->bytes};
    }
    return true;
}

static void write(const struct test_item *item, struct dp_writer *out) {
    switch (item->kind) {
    case TEST_UNSIGNED:
        // Both ways to write what fits in either.
        if (item->number & 1 || item->number > INT32_MAX)
            dp_cbor_uint(out, item->number);
        else
            dp_cbor_int(out, (int32_t)item->number);
        break;
    case TEST_NEGATIVE:
        dp_cbor_int(out, -1 - (int32_t)item->number);
        break;
    case TEST_BYTES:
        dp_cbor_bytes(out, item->bytes, item->number);
        break;
    case TEST_TEXT:
        dp_cbor_text_bytes(out, item->bytes, item->number);
        break;
    case TEST_BOOL:
        dp_cbor_bool(out, item->number != 0);
        break;
    case TEST_ARRAY:
        dp_cbor_array(out, item->number);
        break;
    case TEST_MAP:
        dp_cbor_map(out, item->number);
        break;
    case TEST_TAG:
        dp_cbor_tag(out, item->number);
        break;
    case TEST_ABSENT:
    case TEST_OTHER:
        out->full = true;
        break;
    }
}

size_t test_write(
    const struct test_item *items, size_t count, uint8_t *out, size_t capacity) {
    struct dp_writer writer = {.at = out, .end = out + capacity};
    for (size_t index = 0; index < count; index++) write(&items[index], &writer);
    return writer.full ? 0 : (size_t)(writer.at - out);
}
