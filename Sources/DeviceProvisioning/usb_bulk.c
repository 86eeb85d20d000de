// The rings of device_provisioning_usb.h. Each counter has one writer: whoever fills a ring moves `written`
// and whoever empties it `read`, each after the octets. Counters run freely and wrap at 2^32, which every
// size divides.
#include "device_provisioning_usb.h"

#include <string.h>

struct ring {
    uint8_t *bytes;
    uint32_t size;
    volatile uint32_t written, read;
};

static struct ring out, in;

/// How often a session began, and where in `out`: what lies before is of an earlier one. The stack's, as
/// `out.written` is. The firmware's is how many of them it has seen.
static volatile uint32_t sessions, session_begin;
static uint32_t sessions_seen;

/// 0: no host.
static volatile uint32_t packet_size;

/// The stack's own: octets of the packet that is on its way, -1 for none, and whether the transfer goes on
/// until a packet that is not full.
static int32_t under_way = -1;
static bool is_open_ended;

/// Also where both sides share a core, an octet must be there before the counter says so.
static void barrier(void) { __atomic_thread_fence(__ATOMIC_SEQ_CST); }

static void set(struct ring *ring, const struct dp_usb_ring *description) {
    const uint32_t size = description->bytes != NULL ? description->size : 0;
    ring->bytes = description->bytes;
    ring->size = (size & (size - 1)) == 0 ? size : 0;
    ring->written = ring->read = 0;
}

void dp_usb_start(const struct dp_usb_ring *out_ring, const struct dp_usb_ring *in_ring) {
    packet_size = 0;
    set(&out, out_ring);
    set(&in, in_ring);
    sessions = sessions_seen = session_begin = 0;
    under_way = -1;
    is_open_ended = false;
}

static void copy_in(struct ring *ring, const uint8_t *bytes, uint32_t length) {
    const uint32_t offset = ring->written & (ring->size - 1), end = ring->size - offset;
    const uint32_t first = length < end ? length : end;
    memcpy(ring->bytes + offset, bytes, first);
    memcpy(ring->bytes, bytes + first, length - first);
    barrier();
    ring->written += length;
}

// MARK: The stack's side

/// What each side may drop of itself: the stack empties `in`, and of `out` only says where the new begins.
static void forget(void) {
    in.read = in.written;
    session_begin = out.written;
    barrier();
    sessions++;
    under_way = -1;
    is_open_ended = false;
}

void dp_usb_configured(uint32_t size) {
    forget();
    barrier();
    packet_size = size;
}

void dp_usb_disconnected(void) {
    packet_size = 0;
    barrier();
    forget();
}

static bool has_room_for(uint32_t length) {
    return length <= out.size - (out.written - out.read);
}

bool dp_usb_has_room(void) { return packet_size > 0 && has_room_for(packet_size); }

bool dp_usb_received(const uint8_t *bytes, size_t length) {
    if (packet_size == 0 || length > packet_size || !has_room_for((uint32_t)length)) return false;
    copy_in(&out, bytes, (uint32_t)length);
    return true;
}

int32_t dp_usb_packet(uint8_t *packet) {
    if (packet_size == 0) return -1;
    const uint32_t waiting = in.written - in.read;
    if (under_way < 0) {
        if (waiting == 0 && !is_open_ended) return -1;
        under_way = (int32_t)(waiting < packet_size ? waiting : packet_size);
    }
    barrier();
    const uint32_t length = (uint32_t)under_way;
    if (length == 0) return 0;
    const uint32_t offset = in.read & (in.size - 1), end = in.size - offset;
    const uint32_t first = length < end ? length : end;
    memcpy(packet, in.bytes + offset, first);
    memcpy(packet + first, in.bytes, length - first);
    return under_way;
}

void dp_usb_sent(void) {
    if (under_way < 0) return;
    is_open_ended = (uint32_t)under_way == packet_size;
    barrier();
    in.read += (uint32_t)under_way;
    under_way = -1;
}

// MARK: The firmware's side

size_t dp_usb_write(const uint8_t *bytes, size_t length) {
    if (packet_size == 0 || in.size == 0) return length;
    const uint32_t room = in.size - (in.written - in.read);
    const uint32_t taken = length < room ? (uint32_t)length : room;
    if (taken > 0) copy_in(&in, bytes, taken);
    return taken;
}

int32_t dp_usb_read(void) {
    const uint32_t count = sessions;
    barrier();
    if (count != sessions_seen) {
        const uint32_t begin = session_begin;
        // Behind `read`, if one more began between these lines last time.
        if (begin - out.read <= out.size) out.read = begin;
        sessions_seen = count;
    }
    if (out.read == out.written) return -1;
    barrier();
    const uint8_t byte = out.bytes[out.read & (out.size - 1)];
    barrier();
    out.read++;
    return byte;
}

bool dp_usb_is_configured(void) { return packet_size > 0; }
