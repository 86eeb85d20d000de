// Firmware that speaks RTT and nothing else, for an STM32F405 of QEMU: `netduinoplus2`. It has no driver,
// no interrupt and no library, so that whatever comes out came through the probe.
//
// Down channel 0: each octet comes back on up channel 0, but 'L' has 256 KiB of log come on up channel 1,
// whose octets count up, 'M' has 4 MiB, 'R' resets the core, and 'E' resets it into firmware that has its
// control block elsewhere, and back.
#include "device_provisioning_rtt.h"

// The library once more, as other firmware has it: nothing but its addresses differs.
#define _SEGGER_RTT moved_block
#define dp_rtt_start moved_start
#define dp_rtt_write moved_write
#define dp_rtt_read moved_read
#define dp_rtt_is_used moved_is_used
#include "../../Sources/DeviceProvisioning/rtt.c"
#undef _SEGGER_RTT
#undef dp_rtt_start
#undef dp_rtt_write
#undef dp_rtt_read
#undef dp_rtt_is_used

// Armv7-M Architecture Reference Manual §B3.2.6 and §B3.2.20.
#define AIRCR (*(volatile uint32_t *)0xE000ED0Cu)
#define CPACR (*(volatile uint32_t *)0xE000ED88u)

// Below the stack, and above all variables: a reset keeps it.
#define PLACE (*(volatile uint32_t *)0x2001E000u)
enum { ELSEWHERE = 0x65736C45 };

extern uint32_t stack_top[], bss_start[], bss_end[];
void reset_handler(void);

__attribute__((section(".vectors"), used)) static void *const vectors[] = {
    stack_top, (void *)reset_handler};

static uint8_t answers[300], requests[100];
static _Alignas(8) uint8_t log_text[64 * 1024];

typedef size_t writer(uint32_t channel, const uint8_t *bytes, size_t length);

static void send_log(uint32_t length, writer *write) {
    static _Alignas(8) uint8_t part[4096];
    for (uint32_t index = 0; index < sizeof part; index++) part[index] = (uint8_t)index;
    for (uint32_t sent = 0; sent < length;) {
        const uint32_t start = sent % sizeof part;
        sent += (uint32_t)write(1, part + start, sizeof part - start);
    }
}

void reset_handler(void) {
    for (uint32_t *word = bss_start; word < bss_end; word++) *word = 0;
    CPACR |= 0xFu << 20;
    __asm__ volatile("dsb\n isb" ::: "memory");
    const struct dp_rtt_ring up[DP_RTT_CHANNELS] = {
        {"Answers", answers, sizeof answers, DP_RTT_BLOCK},
        {"Log", log_text, sizeof log_text, DP_RTT_BLOCK},
    };
    const struct dp_rtt_ring down[DP_RTT_CHANNELS] = {
        {"Requests", requests, sizeof requests, DP_RTT_SKIP}};
    const bool is_elsewhere = PLACE == ELSEWHERE;
    writer *const write = is_elsewhere ? moved_write : dp_rtt_write;
    (is_elsewhere ? moved_start : dp_rtt_start)(up, down);
    for (;;) {
        const int32_t byte = (is_elsewhere ? moved_read : dp_rtt_read)(0);
        if (byte == 'L') {
            send_log(256 << 10, write);
        } else if (byte == 'M') {
            send_log(4 << 20, write);
        } else if (byte == 'R' || byte == 'E') {
            if (byte == 'E') PLACE = is_elsewhere ? 0 : ELSEWHERE;
            AIRCR = 0x05FA0004;
        } else if (byte >= 0) {
            const uint8_t echo = (uint8_t)byte;
            write(0, &echo, 1);
        }
    }
}

void *memset(void *start, int byte, size_t length) {
    volatile uint8_t *bytes = start;
    while (length--) *bytes++ = (uint8_t)byte;
    return start;
}

// An emulated core takes its time for each access and each branch, and a log is measured with this one: so
// eight octets at a time through the registers of the FPU, where both addresses are of words; else words of any
// alignment, which a Cortex-M4 takes. Volatile, for the compiler would make a call of memcpy of these loops.
void *memcpy(void *restrict to, const void *restrict from, size_t length) {
    typedef uint32_t __attribute__((aligned(1), may_alias)) word;
    volatile uint8_t *out = to;
    const uint8_t *in = from;
    for (; length > 0 && (uintptr_t)in % 4 != 0; length--) *out++ = *in++;
    if ((uintptr_t)out % 4 == 0) {
        for (; length >= 64; length -= 64) {
            __asm__ volatile(
                ".fpu fpv4-sp-d16\n vldmia %1!, {d0-d7}\n vstmia %0!, {d0-d7}"
                : "+r"(out), "+r"(in)
                :
                : "memory");
        }
    }
    for (; length >= 4; length -= 4, out += 4, in += 4) *(volatile word *)out = *(const word *)in;
    while (length--) *out++ = *in++;
    return to;
}
