// Evidence: an EAT (RFC 9711) in a tagged COSE_Sign1 (RFC 9052 §4.2), deterministic CBOR.
#include <string.h>

#include "credentials.h"
#include "documents.h"
#include "identity.h"
#include "keys.h"

/// Claims and COSE_Key parameters: RFC 9711, RFC 8747, RFC 9052 §7, RFC 9053 §7.1, and the
/// private claims of the contract.
enum {
    CLAIM_CNF = 8,
    CLAIM_NONCE = 10,
    CLAIM_UEID = 256,
    CLAIM_PROFILE = 265,
    CLAIM_INTENDED_USE = 275,
    CLAIM_DEVICE_ID = -65537,
    CLAIM_BOARD = -65538,
    CLAIM_CREDENTIALS = -65539,
    CNF_COSE_KEY = 1,
    KEY_TYPE = 1,
    KEY_TYPE_EC2 = 2,
    EC2_CURVE = -1,
    EC2_P256 = 1,
    EC2_X = -2,
    EC2_Y = -3,
    INTENDED_USE_PROVISIONING = 3,
};
enum { UEID_SIZE = 17, UEID_TYPE_RAND = 1, COORDINATE_SIZE = 32 };

static const char profile[] = "tag:provision,2026:evidence#1";

/// Tag 18, array of 4, protected {1: -7}, no unprotected parameters: all before the payload.
static const uint8_t prefix[] = {0xd2, 0x84, 0x43, 0xa1, 0x01, 0x26, 0xa0};
/// Sig_structure before the payload, RFC 9052 §4.4: "Signature1", protected, no external data.
static const uint8_t to_be_signed[] = {0x84, 0x6a, 'S', 'i',  'g',  'n',  'a',  't',
                                       'u',  'r',  'e', '1',  0x43, 0xa1, 0x01, 0x26, 0x40};
enum { PAYLOAD_HEAD_MAXIMUM = 3, SIGNATURE_HEAD = 2 };

static enum dp_error hash_pieces(
    const uint8_t *const pieces[3], const size_t lengths[3], uint8_t hash[DP_SHA256_SIZE]) {
    psa_hash_operation_t operation = PSA_HASH_OPERATION_INIT;
    size_t length;
    psa_status_t status = psa_hash_setup(&operation, PSA_ALG_SHA_256);
    for (int index = 0; index < 3 && status == PSA_SUCCESS; index++)
        status = psa_hash_update(&operation, pieces[index], lengths[index]);
    if (status == PSA_SUCCESS) status = psa_hash_finish(&operation, hash, DP_SHA256_SIZE, &length);
    if (status != PSA_SUCCESS) (void)psa_hash_abort(&operation);
    return dp_error_of_psa(status);
}

// 0x01 ‖ first 16 octets of SHA-256(board ‖ 0x00 ‖ id).
static enum dp_error put_ueid(struct dp_writer *out, const uint8_t *id, size_t id_length) {
    static const uint8_t separator[1] = {0};
    uint8_t ueid[1 + DP_SHA256_SIZE];
    size_t board_length;
    const uint8_t *board = dp_identity_board(&board_length);
    enum dp_error error = hash_pieces(
        (const uint8_t *const[3]){board, separator, id},
        (const size_t[3]){board_length, sizeof separator, id_length}, ueid + 1);
    ueid[0] = UEID_TYPE_RAND;
    dp_cbor_uint(out, CLAIM_UEID);
    dp_cbor_bytes(out, ueid, UEID_SIZE);
    return error;
}

static enum dp_error put_confirmation_key(struct dp_writer *out, uint32_t kid) {
    uint8_t point[DP_POINT_SIZE];
    enum dp_error error = dp_keys_public(kid, point);
    if (error != DP_OK) return error;
    dp_cbor_uint(out, CLAIM_CNF);
    dp_cbor_map(out, 1);
    dp_cbor_uint(out, CNF_COSE_KEY);
    dp_cbor_map(out, 4);
    dp_cbor_uint(out, KEY_TYPE);
    dp_cbor_uint(out, KEY_TYPE_EC2);
    dp_cbor_int(out, EC2_CURVE);
    dp_cbor_uint(out, EC2_P256);
    dp_cbor_int(out, EC2_X);
    dp_cbor_bytes(out, point + 1, COORDINATE_SIZE);
    dp_cbor_int(out, EC2_Y);
    dp_cbor_bytes(out, point + 1 + COORDINATE_SIZE, COORDINATE_SIZE);
    return DP_OK;
}

static void put_credentials(struct dp_writer *out, uint32_t kid) {
    uint8_t hash[DP_SHA256_SIZE];
    uint32_t count = 0;
    for (uint8_t type = DP_X509_CHAIN; type <= DP_TRUST_ANCHORS; type++)
        count += dp_credentials_hash(kid, type, hash);
    dp_cbor_int(out, CLAIM_CREDENTIALS);
    dp_cbor_map(out, count);
    for (uint8_t type = DP_X509_CHAIN; type <= DP_TRUST_ANCHORS; type++) {
        if (!dp_credentials_hash(kid, type, hash)) continue;
        dp_cbor_uint(out, type);
        dp_cbor_bytes(out, hash, sizeof hash);
    }
}

// The claims in the order of their encoded keys, RFC 8949 §4.2.1.
static enum dp_error put_claims(
    struct dp_writer *out, uint32_t kid, const uint8_t *nonce, size_t nonce_length) {
    uint8_t id[DP_MAXIMUM_ID_SIZE];
    size_t board_length, id_length = dp_identity_id(id);
    const uint8_t *board = dp_identity_board(&board_length);
    dp_cbor_map(out, 8);
    enum dp_error error = put_confirmation_key(out, kid);
    if (error != DP_OK) return error;
    dp_cbor_uint(out, CLAIM_NONCE);
    dp_cbor_bytes(out, nonce, nonce_length);
    error = put_ueid(out, id, id_length);
    if (error != DP_OK) return error;
    dp_cbor_uint(out, CLAIM_PROFILE);
    dp_cbor_text(out, profile);
    dp_cbor_uint(out, CLAIM_INTENDED_USE);
    dp_cbor_uint(out, INTENDED_USE_PROVISIONING);
    dp_cbor_int(out, CLAIM_DEVICE_ID);
    dp_cbor_bytes(out, id, id_length);
    dp_cbor_int(out, CLAIM_BOARD);
    dp_cbor_text_bytes(out, board, board_length);
    put_credentials(out, kid);
    return DP_OK;
}

size_t dp_evidence_make(
    uint32_t kid, const uint8_t *nonce, size_t nonce_length, uint8_t out[DP_DOCUMENT_SIZE],
    enum dp_error *error) {
    uint8_t hash[DP_SHA256_SIZE];
    uint8_t *payload = out + sizeof prefix + PAYLOAD_HEAD_MAXIMUM;
    uint8_t *end = out + DP_DOCUMENT_SIZE - SIGNATURE_HEAD - DP_SIGNATURE_SIZE;
    struct dp_writer writer = {.at = payload, .end = end};
    *error = put_claims(&writer, kid, nonce, nonce_length);
    if (*error == DP_OK && writer.full) *error = DP_BAD_LENGTH_OR_OFFSET;
    if (*error != DP_OK) return 0;
    size_t payload_length = (size_t)(writer.at - payload);

    // Now that the payload's length is known, move it behind the shortest head for it.
    writer = (struct dp_writer){.at = out + sizeof prefix, .end = end};
    memcpy(out, prefix, sizeof prefix);
    dp_cbor_bytes(&writer, payload, payload_length);
    *error = hash_pieces(
        (const uint8_t *const[3]){to_be_signed, out + sizeof prefix, out},
        (const size_t[3]){sizeof to_be_signed, (size_t)(writer.at - out) - sizeof prefix, 0}, hash);
    if (*error != DP_OK) return 0;
    writer.end = out + DP_DOCUMENT_SIZE;
    uint8_t *signature = dp_cbor_bytes_space(&writer, DP_SIGNATURE_SIZE);
    if (!signature) *error = DP_CRYPTO_FAILED;
    if (*error == DP_OK) *error = dp_keys_sign(kid, hash, signature);
    return *error == DP_OK ? (size_t)(writer.at - out) : 0;
}
