// Two lines to the host: the serial port, and channels through a debug probe. What the host sends on
// one is answered there.
#if defined(BOARD_BARE_METAL)

#include "board.h"
#include "cortex_m.h"
#include "device_provisioning.h"
#include "device_provisioning_hal.h"
#include "device_provisioning_rtt.h"

enum { terminal = 0, provisioning = 1 };

// The longest answer, 512 octets in frames, fits as a whole: it waits for no host.
#if defined(BOARD_REPORTS)
// A report is part of the log, and fits as a whole.
static uint8_t log_text[1024];
#else
static uint8_t log_text[256];
#endif
static uint8_t answers[706 + 1], typed[16], requests[256];
static bool answers_through_probe;
static bool is_reporting;
static uint32_t used_at;

void rtt_line_start(void) {
    const struct dp_rtt_ring up[DP_RTT_CHANNELS] = {
        [terminal] = {"Terminal", log_text, sizeof log_text, DP_RTT_SKIP},
        [provisioning] = {"Provisioning", answers, sizeof answers, DP_RTT_BLOCK},
    };
    const struct dp_rtt_ring down[DP_RTT_CHANNELS] = {
        [terminal] = {"Terminal", typed, sizeof typed, 0},
        [provisioning] = {"Provisioning", requests, sizeof requests, 0},
    };
    dp_rtt_start(up, down);
}

int32_t rtt_line_receive(void) {
    for (uint32_t channel = 0; channel < DP_RTT_CHANNELS; channel++) {
        const int32_t byte = dp_rtt_read(channel);
        if (byte < 0) continue;
        answers_through_probe = true;
        return byte;
    }
    return -1;
}

void rtt_line_leave(void) { answers_through_probe = false; }

bool rtt_line_is_used(uint32_t ticks) {
    if (dp_rtt_is_used()) used_at = ticks + ticks_per_second;
    return (int32_t)(used_at - ticks) > 0;
}

void dp_hal_write(const uint8_t *bytes, size_t length) {
    if (is_reporting) {
        board_log(bytes, length);
    } else if (answers_through_probe) {
        dp_rtt_write(provisioning, bytes, length);
    } else {
        uart_write(bytes, length);
    }
}

void board_log(const uint8_t *bytes, size_t length) {
    dp_rtt_write(terminal, bytes, length);
    uart_write(bytes, length);
}

void board_report(void) {
#if defined(BOARD_REPORTS)
    is_reporting = true;
    (void)dp_report();
    is_reporting = false;
#endif
}

#endif
