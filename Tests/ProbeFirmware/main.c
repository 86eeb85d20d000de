// Firmware that speaks RTT and nothing else, for an STM32F405 of QEMU: `netduinoplus2`. It has no driver,
// no interrupt and no library, so that whatever comes out came through the probe.
//
// Down channel 0: each octet comes back on up channel 0, but 'L' has 256 KiB of log come on up channel 1,
// whose octets count up, 'M' has 4 MiB, and 'R' resets the core.
#include "device_provisioning_rtt.h"

#define AIRCR (*(volatile uint32_t *)0xE000ED0Cu)  // Armv7-M Architecture Reference Manual §B3.2.6

extern uint32_t stack_top[], bss_start[], bss_end[];
void reset_handler(void);

__attribute__((section(".vectors"), used)) static void *const vectors[] = {
    stack_top, (void *)reset_handler};

static uint8_t answers[300], requests[100], log_text[64 * 1024];

static void send_log(uint32_t length) {
    static uint8_t part[4096];
    for (uint32_t index = 0; index < sizeof part; index++) part[index] = (uint8_t)index;
    for (uint32_t sent = 0; sent < length;) {
        const uint32_t start = sent % sizeof part;
        sent += (uint32_t)dp_rtt_write(1, part + start, sizeof part - start);
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
            send_log(256 << 10);
        } else if (byte == 'M') {
            send_log(4 << 20);
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

// Words of any alignment, which a Cortex-M4 takes. Volatile, for the compiler would make a call of
// memcpy of these loops.
void *memcpy(void *restrict to, const void *restrict from, size_t length) {
    typedef uint32_t __attribute__((aligned(1), may_alias)) word;
    volatile word *out = to;
    for (const word *in = from; length >= 4; length -= 4) *out++ = *in++;
    volatile uint8_t *last = (volatile uint8_t *)out;
    for (const uint8_t *in = (const uint8_t *)from + (last - (uint8_t *)to); length--;)
        *last++ = *in++;
    return to;
}
