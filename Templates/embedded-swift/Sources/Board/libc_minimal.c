// What the compilers and mbedTLS expect of a C library; its headers are in libc/.
#if defined(BOARD_BARE_METAL)

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "device_provisioning_hal.h"
#include "mbedtls/entropy.h"
#include "mbedtls/platform.h"

// MARK: Memory and text

// The compiler would turn these loops into calls of the functions that they implement.
#define LOOP __attribute__((no_builtin, used))

LOOP void *memcpy(void *restrict to, const void *restrict from, size_t length) {
    uint8_t *target = to;
    const uint8_t *source = from;
    if ((((uintptr_t)target | (uintptr_t)source) & 3) == 0) {
        for (; length >= 4; length -= 4, target += 4, source += 4) {
            *(uint32_t *)(void *)target = *(const uint32_t *)(const void *)source;
        }
    }
    while (length--) *target++ = *source++;
    return to;
}

LOOP void *memmove(void *to, const void *from, size_t length) {
    uint8_t *target = to;
    const uint8_t *source = from;
    if (target <= source) return memcpy(to, from, length);
    while (length--) target[length] = source[length];
    return to;
}

LOOP void *memset(void *to, int value, size_t length) {
    uint8_t *target = to;
    while (length--) *target++ = (uint8_t)value;
    return to;
}

LOOP int memcmp(const void *left, const void *right, size_t length) {
    const uint8_t *a = left, *b = right;
    for (; length--; a++, b++) {
        if (*a != *b) return *a - *b;
    }
    return 0;
}

LOOP size_t strlen(const char *text) {
    size_t length = 0;
    while (text[length] != 0) length++;
    return length;
}

LOOP int strncmp(const char *left, const char *right, size_t length) {
    for (; length--; left++, right++) {
        if (*left != *right || *left == 0) return (uint8_t)*left - (uint8_t)*right;
    }
    return 0;
}

int strcmp(const char *left, const char *right) { return strncmp(left, right, SIZE_MAX); }

// MARK: Swift's allocations come from the heap that mbedTLS manages

int posix_memalign(void **out, size_t alignment, size_t length) {
    // The block's own address stands in the word before the one that is handed out.
    if (length > SIZE_MAX - alignment - sizeof(void *)) return 12;
    uint8_t *block = mbedtls_calloc(1, length + alignment + sizeof(void *));
    if (block == NULL) return 12;
    const uintptr_t first = (uintptr_t)block + sizeof(void *);
    void **memory = (void **)((first + alignment - 1) & ~(uintptr_t)(alignment - 1));
    memory[-1] = block;
    *out = memory;
    return 0;
}

void free(void *memory) {
    if (memory != NULL) mbedtls_free(((void **)memory)[-1]);
}

/// mbedTLS gives up when its heap is corrupt: start over, with the keys that flash holds.
void exit(int status) {
    (void)status;
    for (;;) dp_hal_reset();
}

// MARK: mbedTLS's entropy is the board's

int mbedtls_hardware_poll(void *context, unsigned char *out, size_t length, size_t *written) {
    (void)context;
    if (!dp_hal_entropy(out, length)) return MBEDTLS_ERR_ENTROPY_SOURCE_FAILED;
    *written = length;
    return 0;
}

// MARK: Arm's run-time ABI (RTABI §4.3.4)

void __aeabi_memcpy(void *to, const void *from, size_t length) { memcpy(to, from, length); }
void __aeabi_memmove(void *to, const void *from, size_t length) { memmove(to, from, length); }
void __aeabi_memset(void *to, size_t length, int value) { memset(to, value, length); }
void __aeabi_memclr(void *to, size_t length) { memset(to, 0, length); }

#define ALIASES(name, parameters)                                          \
    void name##4 parameters __attribute__((alias(#name)));                 \
    void name##8 parameters __attribute__((alias(#name)));
ALIASES(__aeabi_memcpy, (void *to, const void *from, size_t length))
ALIASES(__aeabi_memmove, (void *to, const void *from, size_t length))
ALIASES(__aeabi_memset, (void *to, size_t length, int value))
ALIASES(__aeabi_memclr, (void *to, size_t length))

#endif
