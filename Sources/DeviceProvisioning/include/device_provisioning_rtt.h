/// Byte channels through a debug probe: rings in RAM that the host reads and writes, found by a control
/// block in the layout that debuggers know as RTT. No peripheral, no interrupt, no pin.
///
/// Not re-entrant, channel by channel. A host that writes wakes nobody: look for bytes now and then.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Channels in each direction. 0 is by custom the terminal: log text, and what a user types.
enum { DP_RTT_CHANNELS = 2 };

/// What a write does when the ring is full. The host may change it at any time.
enum dp_rtt_mode {
    /// Drops the whole write unless all of it fits.
    DP_RTT_SKIP = 0,
    /// Keeps what fits.
    DP_RTT_TRIM = 1,
    /// Waits for the host as long as it reads. When it has not for a while, the rest is dropped, and
    /// nothing waits any more before it reads again.
    DP_RTT_BLOCK = 2,
};

/// A ring of the firmware's, which holds one octet less than its size. All zero: there is no such
/// channel.
struct dp_rtt_ring {
    const char *name;
    uint8_t *bytes;
    uint32_t size;
    enum dp_rtt_mode mode;  // to the host only
};

/// Makes the channels known to the host, empty. `up` is to the host, `down` from it.
void dp_rtt_start(
    const struct dp_rtt_ring up[DP_RTT_CHANNELS], const struct dp_rtt_ring down[DP_RTT_CHANNELS]);

/// Returns how many octets the ring took.
size_t dp_rtt_write(uint32_t channel, const uint8_t *bytes, size_t length);

/// The next octet from the host, or -1. Never waits.
int32_t dp_rtt_read(uint32_t channel);

/// Whether the host has read or written anything since the last call.
bool dp_rtt_is_used(void);

#ifdef __cplusplus
}
#endif
