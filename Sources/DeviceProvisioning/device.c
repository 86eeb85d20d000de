// The entry points, and what the device says of itself.
#include "device_provisioning.h"

#include <string.h>

#include "credentials.h"
#include "device_provisioning_hal.h"
#include "documents.h"
#include "identity.h"
#include "keys.h"
#include "smp.h"
#include "store.h"

enum { CONTRACT_VERSION = 1 };

uint8_t dp_message[DP_MESSAGE_SIZE];

bool dp_start(void) {
    dp_frame_reset();
    dp_documents_start();
    dp_credentials_reset();
    bool stored = dp_store_start();
    return dp_keys_start() && stored;
}

void dp_answer(size_t length, void (*send)(const uint8_t *message, size_t length)) {
    bool reset = false;
    length = dp_smp_answer(dp_message, length, &reset);
    if (length > 0) send(dp_message, length);
    // An imported key does not stay in memory.
    memset(dp_message, 0, sizeof dp_message);
    if (reset) dp_hal_reset();
}

void dp_receive(uint8_t byte) {
    size_t length = dp_frame_receive(byte, dp_message);
    if (length > 0) dp_answer(length, dp_frame_send);
}

size_t dp_identity_id(uint8_t id[DP_MAXIMUM_ID_SIZE]) {
    size_t length = dp_hal_device_id(id);
    return length > DP_MAXIMUM_ID_SIZE ? DP_MAXIMUM_ID_SIZE : length;
}

static size_t bounded_length(const char *text) {
    size_t length = 0;
    while (length < DP_MAXIMUM_NAME_SIZE && text[length]) length++;
    // Half a character of UTF-8 is no text, and the host would refuse the whole answer.
    while (length > 0 && ((uint8_t)text[length] & 0xc0) == 0x80) length--;
    return length;
}

const uint8_t *dp_identity_board(size_t *length) {
    const char *board = dp_hal_board();
    *length = bounded_length(board);
    return (const uint8_t *)board;
}

static void put_keys(struct dp_writer *answer) {
    uint32_t kid, count = 0;
    for (uint32_t least = 0; dp_keys_next(least, &kid); least = kid + 1) count++;
    dp_cbor_array(answer, count);
    for (uint32_t least = 0; count > 0 && dp_keys_next(least, &kid); least = kid + 1, count--)
        dp_cbor_uint(answer, kid);
}

enum dp_error dp_device_read(const struct dp_request *request, struct dp_writer *answer) {
    (void)request;
    size_t length;
    const uint8_t *board = dp_identity_board(&length);
    const char *firmware = dp_hal_firmware();
    uint8_t id[DP_MAXIMUM_ID_SIZE];
    size_t id_length = dp_identity_id(id);
    dp_cbor_map(answer, 8);
    dp_cbor_text(answer, "v");
    dp_cbor_uint(answer, CONTRACT_VERSION);
    dp_cbor_text(answer, "id");
    dp_cbor_bytes(answer, id, id_length);
    dp_cbor_text(answer, "board");
    dp_cbor_text_bytes(answer, board, length);
    dp_cbor_text(answer, "fw");
    dp_cbor_text_bytes(answer, (const uint8_t *)firmware, bounded_length(firmware));
    dp_cbor_text(answer, "algs");
    dp_cbor_array(answer, 1);
    dp_cbor_int(answer, DP_COSE_ES256);
    dp_cbor_text(answer, "keys");
    put_keys(answer);
    dp_cbor_text(answer, "chunk");
    dp_cbor_uint(answer, DP_CHUNK_SIZE);
    dp_cbor_text(answer, "locked");
    dp_cbor_bool(answer, dp_credentials_locked());
    return DP_OK;
}

// COSE_Encrypt0 to a key agreed with the device's own needs ECDH and AES-GCM, which this library
// leaves out: the host is told so, and nothing ever goes in clear instead.
enum dp_error dp_secret_write(const struct dp_request *request, struct dp_writer *answer) {
    (void)request;
    (void)answer;
    return DP_UNSUPPORTED;
}
