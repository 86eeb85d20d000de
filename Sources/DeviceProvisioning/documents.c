// Reading Evidence and CSRs in pieces, and the report line.
#include "documents.h"

#include <string.h>

#include "device_provisioning.h"
#include "device_provisioning_hal.h"
#include "keys.h"

enum { NONCE_MINIMUM = 8, NONCE_MAXIMUM = 64, SEED_SIZE = 32, PIECE_MINIMUM = 96 };

static struct {
    enum { NOTHING, EVIDENCE, REQUEST } kind;
    uint32_t kid;
    size_t length;
    uint8_t bytes[DP_DOCUMENT_SIZE];
    bool current;         // what it says is still so
    uint8_t nonce_length; // of Evidence
    uint8_t nonce[NONCE_MAXIMUM];
    size_t piece;         // octets in an answer
    uint32_t latest;      // the offset that was read last
} kept;

/// The nonce of this boot's reports.
static uint8_t seed[SEED_SIZE];
static bool seed_is_drawn;

void dp_documents_start(void) {
    dp_documents_forget();
    seed_is_drawn = false;
}

void dp_documents_forget(void) { kept.kind = NOTHING; }
void dp_documents_outdate(void) { kept.current = false; }

static void keep(int kind, uint32_t kid) {
    kept.kind = kind;
    kept.kid = kid;
    kept.current = true;
    kept.piece = DP_CHUNK_SIZE;
    kept.latest = UINT32_MAX;
}

static enum dp_error put_piece(uint32_t offset, struct dp_writer *answer) {
    if (offset > kept.length) return DP_BAD_LENGTH_OR_OFFSET;
    // Who asks again did not get the answer: a short one has a better chance on a bad line.
    if (offset == kept.latest && kept.piece > PIECE_MINIMUM) kept.piece /= 2;
    kept.latest = offset;
    size_t length = kept.length - offset;
    if (length > kept.piece) length = kept.piece;
    dp_cbor_map(answer, 3);
    dp_cbor_text(answer, "off");
    dp_cbor_uint(answer, offset);
    dp_cbor_text(answer, "len");
    dp_cbor_uint(answer, (uint32_t)kept.length);
    dp_cbor_text(answer, "data");
    dp_cbor_bytes(answer, kept.bytes + offset, length);
    return DP_OK;
}

static bool is_kept(int kind, uint32_t kid) { return kept.kind == kind && kept.kid == kid; }

// Asked again with the same nonce, because the answer was lost, the device does not sign again.
static bool is_repeat(uint32_t kid, const uint8_t *nonce, size_t nonce_length) {
    return is_kept(EVIDENCE, kid) && kept.current && kept.nonce_length == nonce_length
        && memcmp(kept.nonce, nonce, nonce_length) == 0;
}

static enum dp_error keep_evidence(uint32_t kid, const uint8_t *nonce, size_t nonce_length) {
    enum dp_error error;
    kept.kind = NOTHING;
    kept.length = dp_evidence_make(kid, nonce, nonce_length, kept.bytes, &error);
    if (error != DP_OK) return error;
    keep(EVIDENCE, kid);
    kept.nonce_length = (uint8_t)nonce_length;
    memcpy(kept.nonce, nonce, nonce_length);
    return DP_OK;
}

enum dp_error dp_evidence_read(const struct dp_request *request, struct dp_writer *answer) {
    uint32_t kid, offset;
    const uint8_t *nonce;
    size_t nonce_length;
    if (!dp_request_uint(request, DP_FIELD_KID, &kid)
        || !dp_request_uint(request, DP_FIELD_OFF, &offset))
        return DP_MALFORMED;
    if (offset == 0) {
        if (!dp_request_bytes(request, DP_FIELD_NONCE, &nonce, &nonce_length)) return DP_MALFORMED;
        if (nonce_length < NONCE_MINIMUM || nonce_length > NONCE_MAXIMUM)
            return DP_BAD_LENGTH_OR_OFFSET;
        if (!is_repeat(kid, nonce, nonce_length)) {
            enum dp_error error = keep_evidence(kid, nonce, nonce_length);
            if (error != DP_OK) return error;
        }
    }
    if (!is_kept(EVIDENCE, kid)) return DP_BAD_LENGTH_OR_OFFSET;
    return put_piece(offset, answer);
}

enum dp_error dp_csr_read(const struct dp_request *request, struct dp_writer *answer) {
    uint32_t kid, offset;
    if (!dp_request_uint(request, DP_FIELD_KID, &kid)
        || !dp_request_uint(request, DP_FIELD_OFF, &offset))
        return DP_MALFORMED;
    // It says the same each time, so the one that is kept will do.
    if (offset == 0 && !is_kept(REQUEST, kid)) {
        enum dp_error error;
        kept.kind = NOTHING;
        kept.length = dp_csr_make(kid, kept.bytes, &error);
        if (error != DP_OK) return error;
        keep(REQUEST, kid);
    }
    if (!is_kept(REQUEST, kid)) return DP_BAD_LENGTH_OR_OFFSET;
    return put_piece(offset, answer);
}

static void write_base64url(const uint8_t *bytes, size_t length) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    for (size_t index = 0; index < length; index += 3) {
        uint8_t text[4];
        size_t count = length - index < 3 ? length - index : 3;
        uint32_t group = (uint32_t)bytes[index] << 16;
        if (count > 1) group |= (uint32_t)bytes[index + 1] << 8;
        if (count > 2) group |= bytes[index + 2];
        for (int digit = 0; digit < 4; digit++)
            text[digit] = (uint8_t)digits[group >> (18 - 6 * digit) & 63];
        dp_hal_write(text, count + 1);
    }
}

bool dp_report(void) {
    static const char marker[] = "PROVISION-EVIDENCE-1 ";
    uint32_t kid;
    if (!dp_keys_next(0, &kid)) return false;
    if (!seed_is_drawn && !dp_hal_entropy(seed, sizeof seed)) return false;
    seed_is_drawn = true;
    if (keep_evidence(kid, seed, sizeof seed) != DP_OK) return false;
    dp_hal_write((const uint8_t *)marker, sizeof marker - 1);
    write_base64url(kept.bytes, kept.length);
    dp_hal_write((const uint8_t *)"\n", 1);
    return true;
}
