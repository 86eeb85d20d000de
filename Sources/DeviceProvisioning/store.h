/// The record store: a log over NOR flash that a power loss cannot tear.
///
/// Two banks. The active one holds records, one behind the other; the latest committed record of a
/// (kind, id) is its value. A full bank's live records are copied to the other bank, which becomes
/// the active one with the last word that is written to it.
///
///     bank    generation, ~generation, BANK_MAGIC (written last), records …
///     record  magic ‖ kind ‖ length, id, check of both; data, padded to words; COMMIT (written last)
///
/// Every state between two words leaves the previous value or the new one, and all other records.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum dp_record_kind {
    DP_RECORD_PSA = 1,         ///< id: PSA storage uid; data: flags ‖ what PSA stores
    DP_RECORD_KEY = 2,         ///< id: kid of a key that may exist; no data
    DP_RECORD_LOCK = 3,        ///< id: 0; no data
    DP_RECORD_CREDENTIAL = 16, ///< plus the type; id: kid; data: SHA-256 ‖ credential
};

enum dp_store_status { DP_STORE_OK, DP_STORE_FULL, DP_STORE_FAILED };

/// Where a committed record's data lies. Valid until the next write to the store.
struct dp_record {
    uint32_t offset;
    uint32_t length;
};

/// A record that is being written, in as many pieces as its writer likes. Other records may be
/// written meanwhile; if one of them makes the store change banks, this one is lost and its next
/// step fails.
struct dp_record_writer {
    uint32_t generation;
    uint32_t offset;     // of the next word
    uint32_t remaining;  // octets of data to come
    uint32_t word;
    uint8_t filled;      // octets in `word`
};

/// Finds the active bank and the end of its log; formats the flash if there is none.
bool dp_store_start(void);

bool dp_store_find(uint8_t kind, uint32_t id, struct dp_record *record);
void dp_store_read(const struct dp_record *record, uint32_t offset, void *out, size_t length);
/// The smallest id of this kind that is at least `least`.
bool dp_store_next(uint8_t kind, uint32_t least, uint32_t *id);

enum dp_store_status dp_store_begin(
    struct dp_record_writer *writer, uint8_t kind, uint32_t id, uint32_t length);
enum dp_store_status dp_store_append(
    struct dp_record_writer *writer, const uint8_t *bytes, size_t length);
/// Makes the record its id's value. Fails if data is missing.
enum dp_store_status dp_store_commit(struct dp_record_writer *writer);

/// Whether the store did not change banks since `dp_store_begin`.
bool dp_store_continues(const struct dp_record_writer *writer);

/// Removes the record, if there is one.
enum dp_store_status dp_store_remove(uint8_t kind, uint32_t id);
