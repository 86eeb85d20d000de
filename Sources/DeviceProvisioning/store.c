#include "store.h"

#include <string.h>

#include "device_provisioning_hal.h"

enum {
    BANK_MAGIC = 0x31535044,  // "DPS1"
    COMMIT = 0x4b4f4344,      // "DCOK"
    RECORD_MAGIC = 0xd5,
    TOMBSTONE = 0x80,  // in the kind
    BANK_HEADER = 12,
    RECORD_HEADER = 12,
    COMMIT_SIZE = 4,
    /// Octets kept free for tombstones, so that a full store can still be emptied.
    RESERVE = 4 * (RECORD_HEADER + COMMIT_SIZE),
};
#define ERASED UINT32_C(0xffffffff)

static struct {
    bool ready;
    uint32_t base;  // of the active bank
    uint32_t generation;
    uint32_t tail;  // flash offset of the log's end
} store;

struct entry {
    uint32_t at;
    uint8_t kind;
    uint32_t id;
    uint32_t length;
    bool committed;
};

static uint32_t bank_size(void) { return dp_hal_flash_page_count / 2 * dp_hal_flash_page_size; }

static uint32_t bank_end(void) { return store.base + bank_size(); }

static uint32_t word_at(uint32_t offset) {
    uint32_t word;
    dp_hal_flash_read(offset, &word, sizeof word);
    return word;
}

static bool program_word(uint32_t offset, uint32_t word) {
    return dp_hal_flash_program(offset, &word, sizeof word);
}

static uint32_t span(uint32_t length) {
    return RECORD_HEADER + ((length + 3) & ~UINT32_C(3)) + COMMIT_SIZE;
}

// Never ERASED, whatever the other two words: a header that lost its last word is no header.
static uint32_t header_check(uint32_t first, uint32_t id) {
    uint32_t check = 0x811c9dc5;
    for (int shift = 0; shift < 32; shift += 8) {
        check = (check ^ (first >> shift & 0xff)) * 0x01000193;
        check = (check ^ (id >> shift & 0xff)) * 0x01000193;
    }
    return check & 0x7fffffff;
}

/// Reads the entry at `*at` and moves `*at` behind it. False at the log's end.
static bool next_entry(uint32_t *at, struct entry *entry) {
    while (bank_end() - *at >= RECORD_HEADER + COMMIT_SIZE) {
        uint32_t header[3];
        dp_hal_flash_read(*at, header, sizeof header);
        if ((header[0] & header[1] & header[2]) == ERASED) return false;
        uint32_t length = header[0] >> 16;
        bool sealed = (header[0] & 0xff) == RECORD_MAGIC
            && header[2] == header_check(header[0], header[1])
            && span(length) <= bank_end() - *at;
        if (!sealed) {
            // Power was lost within this header, so nothing was written behind it.
            *at += RECORD_HEADER;
            continue;
        }
        *entry = (struct entry){
            .at = *at, .kind = (uint8_t)(header[0] >> 8), .id = header[1], .length = length};
        *at += span(length);
        entry->committed = word_at(*at - COMMIT_SIZE) == COMMIT;
        return true;
    }
    return false;
}

static void find_tail(void) {
    struct entry entry;
    store.tail = store.base + BANK_HEADER;
    while (next_entry(&store.tail, &entry)) continue;
}

static bool latest(uint8_t kind, uint32_t id, struct entry *found) {
    struct entry entry;
    bool any = false;
    for (uint32_t at = store.base + BANK_HEADER; next_entry(&at, &entry);) {
        if (!entry.committed || (entry.kind & ~TOMBSTONE) != kind || entry.id != id) continue;
        *found = entry;
        any = true;
    }
    return any && !(found->kind & TOMBSTONE);
}

static bool is_live(const struct entry *entry) {
    struct entry newest;
    return entry->committed && !(entry->kind & TOMBSTONE)
        && latest(entry->kind, entry->id, &newest) && newest.at == entry->at;
}

static bool format(uint32_t base) {
    for (uint32_t offset = 0; offset < bank_size(); offset += dp_hal_flash_page_size)
        if (!dp_hal_flash_erase(base + offset)) return false;
    return true;
}

// The magic is the last word: only with it does the bank exist.
static bool seal_bank(uint32_t base, uint32_t generation) {
    return program_word(base, generation) && program_word(base + 4, ~generation)
        && program_word(base + 8, BANK_MAGIC);
}

static bool bank_is_sealed(uint32_t base, uint32_t *generation) {
    *generation = word_at(base);
    return word_at(base + 8) == BANK_MAGIC && word_at(base + 4) == ~*generation;
}

bool dp_store_start(void) {
    uint32_t generation[2], second = bank_size();
    bool sealed[2] = {bank_is_sealed(0, &generation[0]), bank_is_sealed(second, &generation[1])};
    bool use_second = sealed[1] && (!sealed[0] || generation[1] > generation[0]);
    store.base = use_second ? second : 0;
    store.generation = generation[use_second];
    store.ready = sealed[use_second];
    if (!store.ready) {
        store.generation = 1;
        store.ready = format(store.base) && seal_bank(store.base, store.generation);
    }
    if (store.ready) find_tail();
    return store.ready;
}

static bool copy(uint32_t from, uint32_t to, uint32_t length) {
    for (uint32_t done = 0; done < length; done += 4)
        if (!program_word(to + done, word_at(from + done))) return false;
    return true;
}

static uint32_t live_size(void) {
    struct entry entry;
    uint32_t size = 0;
    for (uint32_t at = store.base + BANK_HEADER; next_entry(&at, &entry);)
        if (is_live(&entry)) size += span(entry.length);
    return size;
}

/// Copies what is live to the other bank, and makes that the active one.
static bool change_banks(void) {
    struct entry entry;
    uint32_t target = store.base ? 0 : bank_size(), tail = target + BANK_HEADER;
    if (!format(target)) return false;
    for (uint32_t at = store.base + BANK_HEADER; next_entry(&at, &entry);) {
        if (!is_live(&entry)) continue;
        if (!copy(entry.at, tail, span(entry.length))) return false;
        tail += span(entry.length);
    }
    if (!seal_bank(target, store.generation + 1)) return false;
    store.base = target;
    store.generation++;
    store.tail = tail;
    return true;
}

static enum dp_store_status make_room(uint32_t needed, uint32_t reserve) {
    if (!store.ready) return DP_STORE_FAILED;
    uint32_t capacity = bank_size() - BANK_HEADER;
    if (needed > capacity) return DP_STORE_FULL;
    uint32_t free = bank_end() - store.tail;
    if (needed + reserve <= free) return DP_STORE_OK;
    if (live_size() + needed + reserve > capacity) return DP_STORE_FULL;
    return change_banks() ? DP_STORE_OK : DP_STORE_FAILED;
}

static enum dp_store_status failed(void) {
    // What the flash holds now decides where the log ends, as it would after a restart.
    find_tail();
    return DP_STORE_FAILED;
}

static enum dp_store_status begin(
    struct dp_record_writer *writer, uint8_t kind, uint32_t id, uint32_t length) {
    uint32_t first = length << 16 | (uint32_t)kind << 8 | RECORD_MAGIC;
    if (length > 0xffff) return DP_STORE_FULL;
    enum dp_store_status status = make_room(span(length), kind & TOMBSTONE ? 0 : RESERVE);
    if (status != DP_STORE_OK) return status;
    uint32_t at = store.tail;
    if (!program_word(at, first) || !program_word(at + 4, id)
        || !program_word(at + 8, header_check(first, id)))
        return failed();
    store.tail += span(length);
    *writer = (struct dp_record_writer){
        .generation = store.generation, .offset = at + RECORD_HEADER, .remaining = length,
        .word = ERASED};
    return DP_STORE_OK;
}

enum dp_store_status dp_store_begin(
    struct dp_record_writer *writer, uint8_t kind, uint32_t id, uint32_t length) {
    return begin(writer, kind, id, length);
}

bool dp_store_continues(const struct dp_record_writer *writer) {
    return store.ready && writer->generation == store.generation;
}

static bool flush(struct dp_record_writer *writer) {
    uint32_t word = writer->word, offset = writer->offset;
    writer->word = ERASED;
    writer->filled = 0;
    writer->offset += 4;
    return program_word(offset, word);
}

enum dp_store_status dp_store_append(
    struct dp_record_writer *writer, const uint8_t *bytes, size_t length) {
    if (!dp_store_continues(writer) || length > writer->remaining) return DP_STORE_FAILED;
    for (size_t index = 0; index < length; index++) {
        memcpy((uint8_t *)&writer->word + writer->filled++, &bytes[index], 1);
        writer->remaining--;
        if (writer->filled == 4 && !flush(writer)) return failed();
    }
    return DP_STORE_OK;
}

enum dp_store_status dp_store_commit(struct dp_record_writer *writer) {
    if (!dp_store_continues(writer) || writer->remaining > 0) return DP_STORE_FAILED;
    if (writer->filled > 0 && !flush(writer)) return failed();
    if (!program_word(writer->offset, COMMIT)) return failed();
    // One record, one commit.
    writer->generation = 0;
    return DP_STORE_OK;
}

enum dp_store_status dp_store_remove(uint8_t kind, uint32_t id) {
    struct entry entry;
    struct dp_record_writer writer;
    if (!store.ready) return DP_STORE_FAILED;
    if (!latest(kind, id, &entry)) return DP_STORE_OK;
    enum dp_store_status status = begin(&writer, kind | TOMBSTONE, id, 0);
    return status == DP_STORE_OK ? dp_store_commit(&writer) : status;
}

bool dp_store_find(uint8_t kind, uint32_t id, struct dp_record *record) {
    struct entry entry;
    if (!store.ready || !latest(kind, id, &entry)) return false;
    *record = (struct dp_record){.offset = entry.at + RECORD_HEADER, .length = entry.length};
    return true;
}

void dp_store_read(const struct dp_record *record, uint32_t offset, void *out, size_t length) {
    dp_hal_flash_read(record->offset + offset, out, length);
}

bool dp_store_next(uint8_t kind, uint32_t least, uint32_t *id) {
    struct entry entry;
    bool any = false;
    if (!store.ready) return false;
    for (uint32_t at = store.base + BANK_HEADER; next_entry(&at, &entry);) {
        if (entry.kind != kind || entry.id < least || (any && entry.id >= *id)) continue;
        if (!is_live(&entry)) continue;
        *id = entry.id;
        any = true;
    }
    return any;
}
