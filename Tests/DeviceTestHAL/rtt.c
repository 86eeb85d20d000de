#include "device_test_rtt.h"

#include <string.h>

static uint8_t rings[TEST_RTT_SIZE];

// Two counts of 32 bits behind the ID, two pointers and four numbers for each channel.
enum { BLOCK_SIZE = 16 + 8 + 2 * DP_RTT_CHANNELS * (2 * sizeof(void *) + 16) };
extern char _SEGGER_RTT[BLOCK_SIZE];

void test_rtt_start(
    const uint32_t up[DP_RTT_CHANNELS], const uint32_t down[DP_RTT_CHANNELS], enum dp_rtt_mode mode) {
    struct dp_rtt_ring to_host[DP_RTT_CHANNELS], from_host[DP_RTT_CHANNELS];
    uint8_t *next = rings;
    memset(rings, 0xA5, sizeof rings);
    for (int channel = 0; channel < DP_RTT_CHANNELS; channel++) {
        to_host[channel] = (struct dp_rtt_ring){"up", next, up[channel], mode};
        next += up[channel];
        from_host[channel] = (struct dp_rtt_ring){"down", next, down[channel], DP_RTT_SKIP};
        next += down[channel];
    }
    dp_rtt_start(to_host, from_host);
}

uint8_t *test_rtt_rings(void) { return rings; }

void *test_rtt_block(size_t *length) {
    *length = BLOCK_SIZE;
    return _SEGGER_RTT;
}
