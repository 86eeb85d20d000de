#include <string.h>

#include "cbor.h"

enum { MAXIMUM_DEPTH = 6, INDEFINITE = 31, BREAK = 0xff };
enum { UNSIGNED = 0, NEGATIVE = 1, BYTES = 2, TEXT = 3, ARRAY = 4, MAP = 5, TAG = 6, SIMPLE = 7 };

struct reader {
    uint8_t *at;
    uint8_t *end;
    bool only_checks;  // changes nothing
};

struct head {
    uint8_t major;
    uint8_t information;
    bool huge;  // the argument has more than 32 bits
    uint32_t argument;
};

// In the order of enum dp_field.
static const char *const names[DP_FIELD_COUNT] = {
    "alg", "d", "data", "kid", "len", "nonce", "off", "replace", "sha256", "type", "value",
};

static bool read_head(struct reader *in, struct head *head) {
    if (in->at == in->end) return false;
    uint8_t initial = *in->at++;
    *head = (struct head){.major = initial >> 5, .information = initial & 31};
    head->argument = head->information;
    if (head->information < 24) return true;
    if (head->information == INDEFINITE)
        return head->major >= BYTES && head->major != TAG && initial != BREAK;
    if (head->information > 27) return false;
    size_t length = (size_t)1 << (head->information - 24);
    if ((size_t)(in->end - in->at) < length) return false;
    head->argument = 0;
    for (size_t index = 0; index < length; index++) {
        if (head->argument >> 24) head->huge = true;
        head->argument = head->argument << 8 | *in->at++;
    }
    // RFC 8949 §3.3: a simple value below 32 has no two-octet form.
    return head->major != SIMPLE || head->information != 24 || head->argument >= 32;
}

// RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF.
static bool is_utf8(const uint8_t *at, size_t length) {
    const uint8_t *end = at + length;
    while (at < end) {
        uint8_t lead = *at++;
        if (lead < 0x80) continue;
        int more = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : 1;
        if (lead < 0xc2 || lead > 0xf4 || end - at < more) return false;
        if ((lead == 0xe0 && *at < 0xa0) || (lead == 0xed && *at > 0x9f)
            || (lead == 0xf0 && *at < 0x90) || (lead == 0xf4 && *at > 0x8f))
            return false;
        while (more--)
            if ((*at++ & 0xc0) != 0x80) return false;
    }
    return true;
}

static bool read_piece(struct reader *in, const struct head *head, struct dp_item *item) {
    if (head->huge || head->argument > (size_t)(in->end - in->at)) return false;
    if (head->major == TEXT && !is_utf8(in->at, head->argument)) return false;
    item->bytes = in->at;
    item->number = head->argument;
    in->at += head->argument;
    return true;
}

static bool read_string(struct reader *in, const struct head *head, struct dp_item *item) {
    item->kind = head->major == TEXT ? DP_ITEM_TEXT : DP_ITEM_BYTES;
    if (head->information != INDEFINITE) return read_piece(in, head, item);
    // The pieces' own heads make room to join them in place.
    struct dp_item joined = {.kind = item->kind, .bytes = in->at};
    while (in->at < in->end && *in->at != BREAK) {
        struct head piece;
        if (!read_head(in, &piece) || piece.major != head->major
            || piece.information == INDEFINITE || !read_piece(in, &piece, item))
            return false;
        if (!in->only_checks)
            memmove(joined.bytes + joined.number, item->bytes, item->number);
        joined.number += item->number;
    }
    *item = joined;
    return in->at++ < in->end;
}

static bool read_item(struct reader *in, int depth, struct dp_item *item);

static bool skip_items(struct reader *in, int depth, const struct head *head) {
    struct dp_item ignored;
    if (head->information == INDEFINITE) {
        uint32_t count = 0;
        while (in->at < in->end && *in->at != BREAK) {
            if (!read_item(in, depth - 1, &ignored)) return false;
            count++;
        }
        return in->at++ < in->end && (head->major == ARRAY || count % 2 == 0);
    }
    // Each item needs an octet at least: this bounds the loop, and the product below.
    if (head->huge || head->argument > (size_t)(in->end - in->at)) return false;
    uint32_t count = head->major == MAP ? head->argument * 2 : head->argument;
    while (count--)
        if (!read_item(in, depth - 1, &ignored)) return false;
    return true;
}

static bool read_item(struct reader *in, int depth, struct dp_item *item) {
    struct head head;
    if (depth == 0 || !read_head(in, &head)) return false;
    *item = (struct dp_item){.kind = DP_ITEM_OTHER, .number = head.argument};
    switch (head.major) {
    case UNSIGNED:
        if (!head.huge) item->kind = DP_ITEM_UNSIGNED;
        return true;
    case NEGATIVE:
        if (!head.huge) item->kind = DP_ITEM_NEGATIVE;
        return true;
    case BYTES:
    case TEXT:
        return read_string(in, &head, item);
    case ARRAY:
    case MAP:
        return skip_items(in, depth, &head);
    case TAG:
        if (!read_item(in, depth - 1, item)) return false;
        item->kind = DP_ITEM_OTHER;
        return true;
    default:
        if (head.information == 20 || head.information == 21) {
            item->kind = DP_ITEM_BOOL;
            item->number = head.information == 21;
        }
        return true;
    }
}

static bool read_pair(struct reader *in, struct dp_request *request) {
    struct dp_item key, value;
    if (!read_item(in, MAXIMUM_DEPTH, &key) || !read_item(in, MAXIMUM_DEPTH, &value)) return false;
    if (key.kind != DP_ITEM_TEXT) return true;
    for (int field = 0; field < DP_FIELD_COUNT; field++) {
        if (strlen(names[field]) != key.number || memcmp(names[field], key.bytes, key.number) != 0)
            continue;
        if (request->fields[field].kind != DP_ITEM_ABSENT) return false;
        request->fields[field] = value;
    }
    return true;
}

bool dp_cbor_is_map(const uint8_t *cbor, size_t length) {
    struct reader in = {.at = (uint8_t *)cbor, .end = (uint8_t *)cbor + length, .only_checks = true};
    struct dp_item item;
    return length > 0 && cbor[0] >> 5 == MAP && read_item(&in, MAXIMUM_DEPTH + 1, &item)
        && in.at == in.end;
}

bool dp_cbor_read_request(uint8_t *cbor, size_t length, struct dp_request *request) {
    struct reader in = {.at = cbor, .end = cbor + length};
    struct head head;
    memset(request, 0, sizeof *request);
    if (!read_head(&in, &head) || head.major != MAP || head.huge) return false;
    if (head.information == INDEFINITE) {
        while (in.at < in.end && *in.at != BREAK)
            if (!read_pair(&in, request)) return false;
        if (in.at++ >= in.end) return false;
    } else {
        while (head.argument--)
            if (!read_pair(&in, request)) return false;
    }
    return in.at == in.end;
}

bool dp_request_has(const struct dp_request *request, enum dp_field field) {
    return request->fields[field].kind != DP_ITEM_ABSENT;
}

bool dp_request_uint(const struct dp_request *request, enum dp_field field, uint32_t *number) {
    *number = request->fields[field].number;
    return request->fields[field].kind == DP_ITEM_UNSIGNED;
}

bool dp_request_bytes(
    const struct dp_request *request, enum dp_field field, const uint8_t **bytes, size_t *length) {
    *bytes = request->fields[field].bytes;
    *length = request->fields[field].number;
    return request->fields[field].kind == DP_ITEM_BYTES;
}
