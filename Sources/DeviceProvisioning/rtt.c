// The rings of device_provisioning_rtt.h. Their layout is the public one that probe-rs, OpenOCD and
// pyOCD read: whoever fills a ring moves `written` and whoever empties it `read`, each after the octets.
#include "device_provisioning_rtt.h"

#include <string.h>

enum { ID_SIZE = 16 };

/// How often a full ring is looked at before its reader is given up: some seconds of a Cortex-M0 at
/// 16 MHz, and in an emulator still more than a busy host needs to come back.
enum { PATIENCE = 1 << 22 };

/// The host's half of `flags`.
enum { MODE_MASK = 3 };

struct ring {
    const char *name;
    uint8_t *bytes;
    uint32_t size;
    volatile uint32_t written, read;
    volatile uint32_t flags;
};

/// Debuggers look for this symbol.
extern struct control_block {
    volatile char id[ID_SIZE];
    int32_t up_count, down_count;
    struct ring up[DP_RTT_CHANNELS], down[DP_RTT_CHANNELS];
} _SEGGER_RTT;
struct control_block _SEGGER_RTT;

/// `read` of a ring when its reader was given up, plus one; 0: it is not.
static uint32_t given_up[DP_RTT_CHANNELS];
static uint32_t offsets_seen;

/// The host is another bus master: what was written before must be there before what comes after.
static void barrier(void) { __atomic_thread_fence(__ATOMIC_SEQ_CST); }

static void set(struct ring *ring, const struct dp_rtt_ring *description) {
    ring->name = description->name;
    ring->bytes = description->bytes;
    // A ring of one octet holds none.
    ring->size = description->bytes != NULL && description->size > 1 ? description->size : 0;
    ring->written = ring->read = 0;
    ring->flags = description->mode;
}

void dp_rtt_start(
    const struct dp_rtt_ring up[DP_RTT_CHANNELS], const struct dp_rtt_ring down[DP_RTT_CHANNELS]) {
    struct control_block *block = &_SEGGER_RTT;
    // After a reset that kept RAM, a host would use what is about to change.
    for (int index = 0; index < ID_SIZE; index++) block->id[index] = 0;
    barrier();
    block->up_count = block->down_count = DP_RTT_CHANNELS;
    for (uint32_t channel = 0; channel < DP_RTT_CHANNELS; channel++) {
        set(&block->up[channel], &up[channel]);
        set(&block->down[channel], &down[channel]);
        given_up[channel] = 0;
    }
    offsets_seen = 0;
    barrier();
    // Backwards: a host that searches the flash image, or a copy of it in RAM, must not find it there.
    static const char reversed[] = "TTR REGGES";
    for (uint32_t index = 0; index < sizeof reversed - 1; index++)
        block->id[index] = reversed[sizeof reversed - 2 - index];
    barrier();
}

/// Octets that fit. None if the host left an offset outside the ring.
static uint32_t room(const struct ring *ring) {
    const uint32_t written = ring->written, read = ring->read;
    if (read >= ring->size) return 0;
    return (read > written ? 0 : ring->size) + read - written - 1;
}

static void put(struct ring *ring, const uint8_t *bytes, uint32_t length) {
    const uint32_t written = ring->written, end = ring->size - written;
    const uint32_t first = length < end ? length : end;
    memcpy(ring->bytes + written, bytes, first);
    memcpy(ring->bytes, bytes + first, length - first);
    barrier();
    ring->written = first == end ? length - first : written + first;
}

/// Room for an octet or more, in good time.
static bool await_room(uint32_t channel) {
    const struct ring *ring = &_SEGGER_RTT.up[channel];
    const uint32_t read = ring->read;
    if (given_up[channel] == read + 1) return room(ring) > 0;
    for (uint32_t looks = 0; looks < PATIENCE; looks++) {
        if (room(ring) > 0) {
            given_up[channel] = 0;
            return true;
        }
    }
    given_up[channel] = read + 1;
    return false;
}

size_t dp_rtt_write(uint32_t channel, const uint8_t *bytes, size_t length) {
    if (channel >= DP_RTT_CHANNELS || _SEGGER_RTT.up[channel].size == 0) return 0;
    struct ring *ring = &_SEGGER_RTT.up[channel];
    const uint32_t mode = ring->flags & MODE_MASK;
    if (mode != DP_RTT_TRIM && mode != DP_RTT_BLOCK && room(ring) < length) return 0;
    size_t taken = 0;
    while (taken < length) {
        uint32_t part = room(ring);
        if (part == 0) {
            if (mode != DP_RTT_BLOCK || !await_room(channel)) break;
            continue;
        }
        if (part > length - taken) part = (uint32_t)(length - taken);
        put(ring, bytes + taken, part);
        taken += part;
    }
    return taken;
}

int32_t dp_rtt_read(uint32_t channel) {
    if (channel >= DP_RTT_CHANNELS) return -1;
    struct ring *ring = &_SEGGER_RTT.down[channel];
    const uint32_t read = ring->read, written = ring->written;
    if (read == written || written >= ring->size) return -1;
    barrier();
    const uint8_t byte = ring->bytes[read];
    barrier();
    ring->read = read + 1 == ring->size ? 0 : read + 1;
    return byte;
}

bool dp_rtt_is_used(void) {
    // Any change of any of the host's offsets changes the sum, but for one in four thousand millions.
    uint32_t sum = 0;
    for (uint32_t channel = 0; channel < DP_RTT_CHANNELS; channel++) {
        sum = sum * 31 + _SEGGER_RTT.up[channel].read;
        sum = sum * 31 + _SEGGER_RTT.down[channel].written;
    }
    const bool used = sum != offsets_seen;
    offsets_seen = sum;
    return used;
}
