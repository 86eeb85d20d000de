// ARMv6-M neither divides nor multiplies to 64 bits, and the toolchain has no run-time library for
// it. RTABI §4.2 and §4.3.1.
#if defined(__ARM_ARCH_6M__)

#include <stdint.h>

struct quotient {
    uint32_t quotient, remainder;
};

static struct quotient divide(uint32_t numerator, uint32_t denominator) {
    uint32_t quotient = 0, remainder = 0;
    for (int bit = 31; bit >= 0; bit--) {
        remainder = remainder << 1 | (numerator >> bit & 1);
        if (remainder >= denominator) {
            remainder -= denominator;
            quotient |= 1u << bit;
        }
    }
    return (struct quotient){quotient, remainder};
}

uint32_t __aeabi_uidiv(uint32_t numerator, uint32_t denominator) {
    return divide(numerator, denominator).quotient;
}

/// Returns the quotient in r0 and the remainder in r1.
uint64_t __aeabi_uidivmod(uint32_t numerator, uint32_t denominator) {
    const struct quotient result = divide(numerator, denominator);
    return (uint64_t)result.remainder << 32 | result.quotient;
}

int32_t __aeabi_idiv(int32_t numerator, int32_t denominator) {
    const uint32_t quotient = divide(
        numerator < 0 ? 0u - (uint32_t)numerator : (uint32_t)numerator,
        denominator < 0 ? 0u - (uint32_t)denominator : (uint32_t)denominator).quotient;
    return (int32_t)((numerator < 0) != (denominator < 0) ? 0u - quotient : quotient);
}

uint64_t __aeabi_idivmod(int32_t numerator, int32_t denominator) {
    const uint32_t quotient = (uint32_t)__aeabi_idiv(numerator, denominator);
    const uint32_t remainder = (uint32_t)numerator - quotient * (uint32_t)denominator;
    return (uint64_t)remainder << 32 | quotient;
}

/// 64 × 64 → 64 bits from products of 16-bit halves.
uint64_t __aeabi_lmul(uint64_t left, uint64_t right) {
    const uint32_t a = (uint32_t)left, b = (uint32_t)right;
    const uint32_t low = (a & 0xFFFF) * (b & 0xFFFF);
    const uint32_t middle = (a >> 16) * (b & 0xFFFF) + (low >> 16);
    const uint32_t other = (a & 0xFFFF) * (b >> 16) + (middle & 0xFFFF);
    const uint32_t high = (a >> 16) * (b >> 16) + (middle >> 16) + (other >> 16);
    const uint32_t cross = a * (uint32_t)(right >> 32) + (uint32_t)(left >> 32) * b;
    return (uint64_t)(high + cross) << 32 | (other << 16 | (low & 0xFFFF));
}

#endif
