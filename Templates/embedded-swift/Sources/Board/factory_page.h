#pragma once

#include <stddef.h>
#include <stdint.h>

// The factory page gives a board its identity where the chip has none of its own: whoever makes the
// board (or the emulator that plays it) writes it once, and no firmware erases it.
//
//     offset  bytes
//     0       8       "PRVFACT1"
//     8       4       length of the ID, 1…64, little endian
//     12      length  the ID
//     …       4       CRC-32 (ISO-HDLC, as zlib's) of everything before it, little endian, unaligned
//
// A probe reads the ID at FACTORY_PAGE + 12, its length at FACTORY_PAGE + 8.

/// Copies the ID; returns its length, or 0 if the page is not valid.
size_t factory_page_id(const uint8_t *page, uint8_t id[64]);
