#include "factory_page.h"

#include <string.h>

enum { id_offset = 12, max_id_length = 64 };

static uint32_t little_endian(const uint8_t *bytes) {
    return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

static uint32_t crc32(const uint8_t *bytes, size_t length) {
    uint32_t crc = 0xFFFFFFFFu;
    while (length--) {
        crc ^= *bytes++;
        for (int bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320u : 0);
    }
    return ~crc;
}

size_t factory_page_id(const uint8_t *page, uint8_t id[64]) {
    static const uint8_t magic[8] = {'P', 'R', 'V', 'F', 'A', 'C', 'T', '1'};
    if (memcmp(page, magic, sizeof magic) != 0) return 0;
    const uint32_t length = little_endian(page + sizeof magic);
    if (length < 1 || length > max_id_length) return 0;
    const size_t checked = id_offset + length;
    if (crc32(page, checked) != little_endian(page + checked)) return 0;
    memcpy(id, page + id_offset, length);
    return length;
}
