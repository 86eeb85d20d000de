// SMP messages without the console framing: one behind the other on a channel that carries nothing
// else, or each in a datagram.
#include <string.h>

#include "device_provisioning.h"
#include "device_provisioning_hal.h"
#include "smp.h"

/// What may be the beginning of a request, in `dp_message`.
static size_t received;

static size_t length_of(const uint8_t *message) {
    return DP_SMP_HEADER_SIZE + (size_t)(message[2] << 8 | message[3]);
}

// Whether a request may begin so, as far as it is there. Nothing but its header tells it from noise.
static bool may_begin(const uint8_t *at, size_t length) {
    // Three reserved bits, any version, and the operations read and write.
    if ((at[0] & 0xe5) != 0) return false;
    if (length > 1 && at[1] != 0) return false;
    if (length > 3 && (length_of(at) == DP_SMP_HEADER_SIZE || length_of(at) > DP_MESSAGE_SIZE))
        return false;
    // RFC 8949 section 3.1: a map.
    return length <= DP_SMP_HEADER_SIZE || at[DP_SMP_HEADER_SIZE] >> 5 == 5;
}

// The length of the message that `dp_message` begins with now, 0 while there is none. What was taken
// for one and is none may hold the beginning of one that is.
static size_t find_message(void) {
    size_t start = 0, length = 0;
    for (; start < received; start++) {
        const uint8_t *at = dp_message + start;
        size_t there = received - start;
        if (!may_begin(at, there)) continue;
        if (there < DP_SMP_HEADER_SIZE || there < length_of(at)) break;
        if (!dp_cbor_is_map(at + DP_SMP_HEADER_SIZE, length_of(at) - DP_SMP_HEADER_SIZE)) continue;
        length = length_of(at);
        break;
    }
    received -= start;
    memmove(dp_message, dp_message + start, received);
    return length;
}

void dp_receive_raw(uint8_t byte) {
    dp_message[received++] = byte;
    size_t length = find_message();
    if (length == 0) return;
    // What stands behind it makes room for the answer: a host that waits for one sends nothing more.
    received = 0;
    dp_answer(length, dp_hal_write);
}

void dp_receive_pause(void) {
    // Half a request may hold half of an imported key.
    memset(dp_message, 0, received);
    received = 0;
}

void dp_receive_datagram(const uint8_t *bytes, size_t length) {
    if (length > DP_MESSAGE_SIZE) return;
    memcpy(dp_message, bytes, length);
    dp_answer(length, dp_hal_write);
}
