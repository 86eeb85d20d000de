// Firmware that speaks RTT and nothing else, for an STM32F405 of QEMU: `netduinoplus2`. It has no driver,
// no interrupt and no library, so that whatever comes out came through the probe.
//
// Down channel 0: each octet comes back on up channel 0, but 'L' has 256 KiB of log come on up channel 1,
// whose octets count up, and 'R' resets the core.
#include "device_provisioning_rtt.h"

#define AIRCR (*(volatile uint32_t *)0xE000ED0Cu)  // Armv7-M Architecture Reference Manual §B3.2.6

enum { LOG_SIZE = 256 * 1024 };

extern uint32_t stack_top[], bss_start[], bss_end[];
void reset_handler(void);

__attribute__((section(".vectors"), used)) static void *const vectors[] = {
    stack_top, (void *)reset_handler};

static uint8_t answers[300], requests[100], log_text[16 * 1024];

static void send_log(void) {
    for (uint32_t sent = 0; sent < LOG_SIZE;) {
        uint8_t part[256];
        for (uint32_t index = 0; index < sizeof part; index++) part[index] = (uint8_t)(sent + index);
        sent += (uint32_t)dp_rtt_write(1, part, sizeof part);
    }
}

void reset_handler(void) {
    for (uint32_t *word = bss_start; word < bss_end; word++) *word = 0;
    const struct dp_rtt_ring up[DP_RTT_CHANNELS] = {
        {"Answers", answers, sizeof answers, DP_RTT_BLOCK},
        {"Log", log_text, sizeof log_text, DP_RTT_BLOCK},
    };
    const struct dp_rtt_ring down[DP_RTT_CHANNELS] = {
        {"Requests", requests, sizeof requests, DP_RTT_SKIP}};
    dp_rtt_start(up, down);
    for (;;) {
        const int32_t byte = dp_rtt_read(0);
        if (byte == 'L') {
            send_log();
        } else if (byte == 'R') {
            AIRCR = 0x05FA0004;
        } else if (byte >= 0) {
            const uint8_t echo = (uint8_t)byte;
            dp_rtt_write(0, &echo, 1);
        }
    }
}

void *memset(void *start, int byte, size_t length) {
    volatile uint8_t *bytes = start;
    while (length--) *bytes++ = (uint8_t)byte;
    return start;
}

void *memcpy(void *to, const void *from, size_t length) {
    volatile uint8_t *out = to;
    for (const uint8_t *in = from; length--;) *out++ = *in++;
    return to;
}
