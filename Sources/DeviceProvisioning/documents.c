// Reading Evidence and CSRs in pieces, and the report line.
#include "documents.h"

#include "device_provisioning.h"
#include "device_provisioning_hal.h"
#include "keys.h"

enum { NONCE_MINIMUM = 8, NONCE_MAXIMUM = 64, SEED_SIZE = 32 };

static struct {
    enum { NOTHING, EVIDENCE, REQUEST } kind;
    uint32_t kid;
    size_t length;
    uint8_t bytes[DP_DOCUMENT_SIZE];
} kept;

void dp_documents_forget(void) { kept.kind = NOTHING; }

static enum dp_error put_piece(uint32_t offset, struct dp_writer *answer) {
    if (offset > kept.length) return DP_BAD_LENGTH_OR_OFFSET;
    size_t length = kept.length - offset;
    if (length > DP_CHUNK_SIZE) length = DP_CHUNK_SIZE;
    dp_cbor_map(answer, 3);
    dp_cbor_text(answer, "off");
    dp_cbor_uint(answer, offset);
    dp_cbor_text(answer, "len");
    dp_cbor_uint(answer, (uint32_t)kept.length);
    dp_cbor_text(answer, "data");
    dp_cbor_bytes(answer, kept.bytes + offset, length);
    return DP_OK;
}

static enum dp_error keep_evidence(uint32_t kid, const uint8_t *nonce, size_t nonce_length) {
    enum dp_error error;
    kept.kind = NOTHING;
    kept.length = dp_evidence_make(kid, nonce, nonce_length, kept.bytes, &error);
    kept.kid = kid;
    if (error == DP_OK) kept.kind = EVIDENCE;
    return error;
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
        enum dp_error error = keep_evidence(kid, nonce, nonce_length);
        if (error != DP_OK) return error;
    }
    if (kept.kind != EVIDENCE || kept.kid != kid) return DP_BAD_LENGTH_OR_OFFSET;
    return put_piece(offset, answer);
}

enum dp_error dp_csr_read(const struct dp_request *request, struct dp_writer *answer) {
    uint32_t kid, offset;
    if (!dp_request_uint(request, DP_FIELD_KID, &kid)
        || !dp_request_uint(request, DP_FIELD_OFF, &offset))
        return DP_MALFORMED;
    if (offset == 0) {
        enum dp_error error;
        kept.kind = NOTHING;
        kept.length = dp_csr_make(kid, kept.bytes, &error);
        if (error != DP_OK) return error;
        kept.kind = REQUEST;
        kept.kid = kid;
    }
    if (kept.kind != REQUEST || kept.kid != kid) return DP_BAD_LENGTH_OR_OFFSET;
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
    uint8_t seed[SEED_SIZE];
    uint32_t kid;
    if (!dp_keys_next(0, &kid) || !dp_hal_entropy(seed, sizeof seed)) return false;
    if (keep_evidence(kid, seed, sizeof seed) != DP_OK) return false;
    dp_hal_write((const uint8_t *)marker, sizeof marker - 1);
    write_base64url(kept.bytes, kept.length);
    dp_hal_write((const uint8_t *)"\n", 1);
    return true;
}
