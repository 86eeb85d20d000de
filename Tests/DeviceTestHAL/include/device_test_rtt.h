/// RTT rings in memory, with nothing but them in it.
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "device_provisioning_rtt.h"

/// Octets of all rings together.
enum { TEST_RTT_SIZE = 8192 };

/// Starts RTT with rings of these sizes, one behind the other; 0: no such channel.
void test_rtt_start(
    const uint32_t up[DP_RTT_CHANNELS], const uint32_t down[DP_RTT_CHANNELS], enum dp_rtt_mode mode);
/// Where the rings are.
uint8_t *test_rtt_rings(void);
/// The control block, and its length.
void *test_rtt_block(size_t *length);
