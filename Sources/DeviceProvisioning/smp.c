// SMP messages, versions 1 and 2: the OS group's echo, parameters and reset, and the dispatch of
// the contract's group.
#include "smp.h"

enum { READ = 0, WRITE = 2 };
enum { VERSION_2 = 1, NEWEST_VERSION = DP_SMP_VERSION - 1 };
enum { OS_GROUP = 0, OS_ECHO = 0, OS_RESET = 5, OS_PARAMETERS = 6 };

/// MCUmgr's own codes, not the group's.
enum {
    SMP_OK = 0,
    SMP_UNKNOWN = 1,
    SMP_NO_MEMORY = 2,
    SMP_INVALID = 3,
    SMP_NO_ENTRY = 5,
    SMP_BAD_STATE = 6,
    SMP_MESSAGE_SIZE = 7,
    SMP_NOT_SUPPORTED = 8,
    SMP_CORRUPT = 9,
    SMP_ACCESS_DENIED = 11,
    SMP_TOO_NEW = 13,
};

static const struct {
    uint8_t operation;
    uint8_t command;
    dp_command *answer;
} commands[] = {
    {READ, 0, dp_device_read},      {READ, 1, dp_key_read},         {WRITE, 1, dp_key_write},
    {WRITE, 2, dp_key_erase},       {READ, 3, dp_evidence_read},    {READ, 4, dp_csr_read},
    {READ, 5, dp_credential_read},  {WRITE, 5, dp_credential_write}, {WRITE, 6, dp_lock_write},
    {WRITE, 7, dp_secret_write},
};

struct exchange {
    uint8_t operation;
    uint8_t version;
    uint8_t command;
    uint16_t group;
    bool reset;
};

static uint16_t big_endian(const uint8_t *at) { return (uint16_t)(at[0] << 8 | at[1]); }

static void put_error(struct dp_writer *out, uint32_t code) {
    dp_cbor_map(out, 1);
    dp_cbor_text(out, "rc");
    dp_cbor_uint(out, code);
}

static int os_answer(
    struct exchange *exchange, const struct dp_request *request, struct dp_writer *out) {
    if (exchange->command == OS_ECHO) {
        const struct dp_item *text = &request->fields[DP_FIELD_D];
        if (text->kind != DP_ITEM_TEXT) return SMP_INVALID;
        dp_cbor_map(out, 1);
        dp_cbor_text(out, "r");
        dp_cbor_text_bytes(out, text->bytes, text->number);
        return SMP_OK;
    }
    if (exchange->command == OS_PARAMETERS && exchange->operation == READ) {
        dp_cbor_map(out, 2);
        dp_cbor_text(out, "buf_size");
        dp_cbor_uint(out, DP_MESSAGE_SIZE);
        dp_cbor_text(out, "buf_count");
        dp_cbor_uint(out, 1);
        return SMP_OK;
    }
    if (exchange->command == OS_RESET && exchange->operation == WRITE) {
        exchange->reset = true;
        dp_cbor_map(out, 0);
        return SMP_OK;
    }
    return SMP_NOT_SUPPORTED;
}

/// MCUmgr's nearest code.
static int status_of(enum dp_error error) {
    switch (error) {
    case DP_MALFORMED: return SMP_INVALID;
    case DP_NO_SUCH_KEY: return SMP_NO_ENTRY;
    case DP_KEY_EXISTS: return SMP_BAD_STATE;
    case DP_LOCKED: return SMP_ACCESS_DENIED;
    case DP_BAD_LENGTH_OR_OFFSET: return SMP_MESSAGE_SIZE;
    case DP_HASH_MISMATCH: return SMP_CORRUPT;
    case DP_STORAGE_FULL: return SMP_NO_MEMORY;
    case DP_UNSUPPORTED: return SMP_NOT_SUPPORTED;
    default: return SMP_UNKNOWN;
    }
}

static int group_answer(
    const struct exchange *exchange, const struct dp_request *request, struct dp_writer *out) {
    for (size_t index = 0; index < sizeof commands / sizeof commands[0]; index++) {
        if (commands[index].command != exchange->command
            || commands[index].operation != exchange->operation)
            continue;
        uint8_t *start = out->at;
        enum dp_error error = commands[index].answer(request, out);
        if (error == DP_OK) return SMP_OK;
        // Version 1 has no room for a group's own codes.
        if (exchange->version < VERSION_2) return status_of(error);
        out->at = start;
        out->full = false;
        dp_cbor_map(out, 1);
        dp_cbor_text(out, "err");
        dp_cbor_map(out, 2);
        dp_cbor_text(out, "group");
        dp_cbor_uint(out, DP_SMP_GROUP);
        dp_cbor_text(out, "rc");
        dp_cbor_uint(out, error);
        return SMP_OK;
    }
    return SMP_NOT_SUPPORTED;
}

static int answer_to(
    struct exchange *exchange, uint8_t *message, size_t length, struct dp_writer *out) {
    struct dp_request request;
    if (exchange->version > NEWEST_VERSION) return SMP_TOO_NEW;
    if (big_endian(message + 2) != length - DP_SMP_HEADER_SIZE) return SMP_CORRUPT;
    if (exchange->group != OS_GROUP && exchange->group != DP_SMP_GROUP) return SMP_NOT_SUPPORTED;
    if (!dp_cbor_read_request(
            message + DP_SMP_HEADER_SIZE, length - DP_SMP_HEADER_SIZE, &request))
        return SMP_INVALID;
    int error = exchange->group == OS_GROUP ? os_answer(exchange, &request, out)
                                            : group_answer(exchange, &request, out);
    return error == SMP_OK && out->full ? SMP_MESSAGE_SIZE : error;
}

size_t dp_smp_answer(uint8_t *message, size_t length, bool *reset) {
    if (length < DP_SMP_HEADER_SIZE) return 0;
    struct exchange exchange = {
        .operation = message[0] & 7,
        .version = message[0] >> 3 & 3,
        .command = message[7],
        .group = big_endian(message + 4),
    };
    // An answer is not a request, not even when a terminal echoes it back.
    if (exchange.operation != READ && exchange.operation != WRITE) return 0;
    uint8_t *body = message + DP_SMP_HEADER_SIZE;
    struct dp_writer out = {.at = body, .end = message + DP_MESSAGE_SIZE};
    int error = answer_to(&exchange, message, length, &out);
    if (error != SMP_OK) {
        out = (struct dp_writer){.at = body, .end = message + DP_MESSAGE_SIZE};
        put_error(&out, (uint32_t)error);
    }
    uint8_t version = exchange.version > NEWEST_VERSION ? NEWEST_VERSION : exchange.version;
    size_t answered = (size_t)(out.at - body);
    message[0] = (uint8_t)(version << 3 | (exchange.operation + 1));
    message[1] = 0;
    message[2] = (uint8_t)(answered >> 8);
    message[3] = (uint8_t)answered;
    *reset = exchange.reset && error == SMP_OK;
    return DP_SMP_HEADER_SIZE + answered;
}
