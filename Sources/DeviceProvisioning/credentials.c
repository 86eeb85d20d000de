#include "credentials.h"

#include <string.h>

#include "documents.h"
#include "store.h"

/// The credential that is being written, or the last one that was.
static struct {
    enum {
        IDLE,
        WRITING,
        MATCHING,  // it is stored already: its octets are checked, but not written again
        WRITTEN,
    } state;
    uint8_t type;
    uint32_t kid;
    uint32_t length;
    uint32_t expected;  // the offset of the next octet
    uint8_t sha256[DP_SHA256_SIZE];
    struct dp_record_writer record;
    psa_hash_operation_t hash;
} stream;

/// One write request.
struct piece {
    uint32_t kid;
    uint32_t type;
    uint32_t offset;
    const uint8_t *data;
    size_t data_length;
    uint32_t length;        // of the whole credential; at offset 0
    const uint8_t *sha256;  // at offset 0
};

void dp_credentials_reset(void) {
    (void)psa_hash_abort(&stream.hash);
    memset(&stream, 0, sizeof stream);
}

static bool find(uint32_t kid, uint32_t type, struct dp_record *record) {
    return dp_store_find((uint8_t)(DP_RECORD_CREDENTIAL + type), kid, record)
        && record->length >= DP_SHA256_SIZE;
}

static bool is_type(uint32_t type) { return type >= DP_X509_CHAIN && type <= DP_TRUST_ANCHORS; }

bool dp_credentials_hash(uint32_t kid, uint8_t type, uint8_t hash[DP_SHA256_SIZE]) {
    struct dp_record record;
    if (!find(kid, type, &record)) return false;
    dp_store_read(&record, 0, hash, DP_SHA256_SIZE);
    return true;
}

enum dp_error dp_credentials_remove(uint32_t kid) {
    dp_documents_outdate();
    if (stream.kid == kid) dp_credentials_reset();
    for (uint8_t type = DP_X509_CHAIN; type <= DP_TRUST_ANCHORS; type++)
        if (dp_store_remove(DP_RECORD_CREDENTIAL + type, kid) != DP_STORE_OK)
            return DP_STORAGE_FULL;
    return DP_OK;
}

bool dp_credentials_locked(void) {
    struct dp_record record;
    return dp_store_find(DP_RECORD_LOCK, 0, &record);
}

enum dp_error dp_lock_write(const struct dp_request *request, struct dp_writer *answer) {
    struct dp_record_writer writer;
    (void)request;
    if (!dp_credentials_locked()) {
        enum dp_store_status status = dp_store_begin(&writer, DP_RECORD_LOCK, 0, 0);
        if (status == DP_STORE_OK) status = dp_store_commit(&writer);
        if (status != DP_STORE_OK) return DP_STORAGE_FULL;
    }
    dp_cbor_map(answer, 0);
    return DP_OK;
}

static enum dp_error read_piece(const struct dp_request *request, struct piece *piece) {
    size_t hash_length = DP_SHA256_SIZE;
    *piece = (struct piece){0};
    if (!dp_request_uint(request, DP_FIELD_KID, &piece->kid)
        || !dp_request_uint(request, DP_FIELD_TYPE, &piece->type)
        || !dp_request_uint(request, DP_FIELD_OFF, &piece->offset)
        || !dp_request_bytes(request, DP_FIELD_DATA, &piece->data, &piece->data_length))
        return DP_MALFORMED;
    if (!is_type(piece->type)) return DP_UNSUPPORTED;
    if (piece->offset > 0) return DP_OK;
    if (!dp_request_uint(request, DP_FIELD_LEN, &piece->length)
        || !dp_request_bytes(request, DP_FIELD_SHA256, &piece->sha256, &hash_length))
        return DP_MALFORMED;
    if (hash_length != DP_SHA256_SIZE || piece->length == 0
        || piece->data_length > piece->length)
        return DP_BAD_LENGTH_OR_OFFSET;
    // What the log's 16-bit length cannot hold, the flash behind it cannot either.
    if (piece->length > UINT16_MAX - DP_SHA256_SIZE) return DP_STORAGE_FULL;
    return DP_OK;
}

static bool is_streamed(const struct piece *piece) {
    if (stream.state == IDLE || stream.kid != piece->kid || stream.type != piece->type)
        return false;
    if (piece->offset > 0) return true;
    if (stream.length != piece->length
        || memcmp(stream.sha256, piece->sha256, DP_SHA256_SIZE) != 0)
        return false;
    // Behind the end, the start is a repeat only if it was all there was.
    return stream.state != WRITTEN || piece->data_length == stream.length;
}

static bool is_stored(const struct piece *piece) {
    struct dp_record record;
    uint8_t hash[DP_SHA256_SIZE];
    return find(piece->kid, piece->type, &record)
        && record.length - DP_SHA256_SIZE == piece->length
        && dp_credentials_hash(piece->kid, (uint8_t)piece->type, hash)
        && memcmp(hash, piece->sha256, DP_SHA256_SIZE) == 0;
}

// Write-once: the lock protects what is there, not what is not.
static bool is_closed(uint32_t kid, uint32_t type) {
    struct dp_record record;
    return dp_credentials_locked() && find(kid, type, &record);
}

static enum dp_error error_of_store(enum dp_store_status status) {
    return status == DP_STORE_OK ? DP_OK : DP_STORAGE_FULL;
}

static enum dp_error begin(const struct piece *piece) {
    dp_credentials_reset();
    stream.kid = piece->kid;
    stream.type = (uint8_t)piece->type;
    stream.length = piece->length;
    memcpy(stream.sha256, piece->sha256, DP_SHA256_SIZE);
    stream.state = is_stored(piece) ? MATCHING : WRITING;
    if (stream.state == WRITING) {
        if (is_closed(piece->kid, piece->type)) return DP_LOCKED;
        enum dp_store_status status = dp_store_begin(
            &stream.record, (uint8_t)(DP_RECORD_CREDENTIAL + piece->type), piece->kid,
            DP_SHA256_SIZE + piece->length);
        if (status == DP_STORE_OK)
            status = dp_store_append(&stream.record, piece->sha256, DP_SHA256_SIZE);
        if (status != DP_STORE_OK) return error_of_store(status);
    }
    return dp_error_of_psa(psa_hash_setup(&stream.hash, PSA_ALG_SHA_256));
}

static enum dp_error finish(void) {
    uint8_t hash[DP_SHA256_SIZE];
    size_t length;
    enum dp_error error = dp_error_of_psa(
        psa_hash_finish(&stream.hash, hash, sizeof hash, &length));
    if (error != DP_OK) return error;
    if (memcmp(hash, stream.sha256, DP_SHA256_SIZE) != 0) return DP_HASH_MISMATCH;
    bool is_new = stream.state == WRITING;
    stream.state = WRITTEN;
    if (!is_new) return DP_OK;
    if (is_closed(stream.kid, stream.type)) return DP_LOCKED;
    dp_documents_outdate();
    return error_of_store(dp_store_commit(&stream.record));
}

static enum dp_error take(const struct piece *piece) {
    if (piece->data_length > stream.length - stream.expected) return DP_BAD_LENGTH_OR_OFFSET;
    enum dp_error error = DP_OK;
    if (stream.state == WRITING)
        error = error_of_store(
            dp_store_append(&stream.record, piece->data, piece->data_length));
    if (error == DP_OK)
        error = dp_error_of_psa(psa_hash_update(&stream.hash, piece->data, piece->data_length));
    if (error != DP_OK) return error;
    stream.expected += (uint32_t)piece->data_length;
    return stream.expected == stream.length ? finish() : DP_OK;
}

static enum dp_error write_piece(const struct piece *piece, uint32_t *expected) {
    // Another record may have made the store change banks, and what was unfinished stayed behind.
    if (stream.state == WRITING && !dp_store_continues(&stream.record)) dp_credentials_reset();
    enum dp_error error = DP_OK;
    if (!is_streamed(piece)) {
        *expected = 0;
        if (piece->offset > 0) return DP_OK;
        error = begin(piece);
    }
    if (error == DP_OK && stream.state != WRITTEN && piece->offset == stream.expected) {
        error = take(piece);
        // Nothing of a piece that is too long was taken.
        if (error == DP_BAD_LENGTH_OR_OFFSET) return error;
    }
    *expected = stream.expected;
    if (error != DP_OK) dp_credentials_reset();
    return error;
}

enum dp_error dp_credential_write(const struct dp_request *request, struct dp_writer *answer) {
    struct piece piece;
    uint32_t expected;
    enum dp_error error = read_piece(request, &piece);
    if (error != DP_OK) return error;
    if (!dp_keys_exist(piece.kid)) return DP_NO_SUCH_KEY;
    error = write_piece(&piece, &expected);
    if (error != DP_OK) return error;
    dp_cbor_map(answer, 1);
    dp_cbor_text(answer, "off");
    dp_cbor_uint(answer, expected);
    return DP_OK;
}

enum dp_error dp_credential_read(const struct dp_request *request, struct dp_writer *answer) {
    uint32_t kid, type, offset;
    struct dp_record record;
    uint8_t hash[DP_SHA256_SIZE];
    if (!dp_request_uint(request, DP_FIELD_KID, &kid)
        || !dp_request_uint(request, DP_FIELD_TYPE, &type)
        || !dp_request_uint(request, DP_FIELD_OFF, &offset))
        return DP_MALFORMED;
    if (!is_type(type)) return DP_UNSUPPORTED;
    if (!find(kid, type, &record)) return DP_NO_SUCH_KEY;
    uint32_t length = record.length - DP_SHA256_SIZE;
    if (offset > length) return DP_BAD_LENGTH_OR_OFFSET;
    uint32_t count = length - offset < DP_CHUNK_SIZE ? length - offset : DP_CHUNK_SIZE;
    dp_cbor_map(answer, offset == 0 ? 4 : 3);
    dp_cbor_text(answer, "off");
    dp_cbor_uint(answer, offset);
    dp_cbor_text(answer, "len");
    dp_cbor_uint(answer, length);
    dp_cbor_text(answer, "data");
    uint8_t *data = dp_cbor_bytes_space(answer, count);
    if (data) dp_store_read(&record, DP_SHA256_SIZE + offset, data, count);
    if (offset == 0) {
        dp_store_read(&record, 0, hash, sizeof hash);
        dp_cbor_text(answer, "sha256");
        dp_cbor_bytes(answer, hash, sizeof hash);
    }
    return DP_OK;
}
