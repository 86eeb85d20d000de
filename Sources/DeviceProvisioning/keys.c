#include "keys.h"

#include <string.h>

#include "credentials.h"
#include "device_provisioning_hal.h"
#include "documents.h"
#include "store.h"

enum { DEFAULT_KID = 1, SCALAR_SIZE = 32 };

struct dp_key_replacement dp_key_replacement;

static enum dp_error start_error = DP_CRYPTO_FAILED;

enum dp_error dp_error_of_psa(psa_status_t status) {
    switch (status) {
    case PSA_SUCCESS:
        return DP_OK;
    case PSA_ERROR_DOES_NOT_EXIST:
    case PSA_ERROR_INVALID_HANDLE:
        return DP_NO_SUCH_KEY;
    case PSA_ERROR_ALREADY_EXISTS:
        return DP_KEY_EXISTS;
    case PSA_ERROR_INSUFFICIENT_ENTROPY:
        return DP_NO_ENTROPY;
    case PSA_ERROR_INSUFFICIENT_STORAGE:
    case PSA_ERROR_STORAGE_FAILURE:
        return DP_STORAGE_FULL;
    default:
        return DP_CRYPTO_FAILED;
    }
}

static enum dp_error error_of_store(enum dp_store_status status) {
    return status == DP_STORE_OK ? DP_OK : DP_STORAGE_FULL;
}

static bool is_kid(uint32_t kid) { return kid >= PSA_KEY_ID_USER_MIN && kid <= PSA_KEY_ID_USER_MAX; }

// An imported key may also verify. Nothing needs that here: it is the mark of an imported key,
// in the key's own record, so that key and mark are written and lost together.
static psa_key_attributes_t attributes_of(uint32_t kid, bool imported) {
    psa_key_attributes_t attributes = PSA_KEY_ATTRIBUTES_INIT;
    psa_key_usage_t usage = PSA_KEY_USAGE_SIGN_HASH;
    if (imported) usage |= PSA_KEY_USAGE_VERIFY_HASH;
    if (kid != 0) psa_set_key_id(&attributes, kid);
    psa_set_key_type(&attributes, PSA_KEY_TYPE_ECC_KEY_PAIR(PSA_ECC_FAMILY_SECP_R1));
    psa_set_key_bits(&attributes, 256);
    psa_set_key_usage_flags(&attributes, usage);
    psa_set_key_algorithm(&attributes, PSA_ALG_ECDSA(PSA_ALG_SHA_256));
    return attributes;
}

static psa_status_t look_up(uint32_t kid, bool *imported) {
    psa_key_attributes_t attributes = PSA_KEY_ATTRIBUTES_INIT;
    psa_status_t status = psa_get_key_attributes(kid, &attributes);
    if (imported)
        *imported = (psa_get_key_usage_flags(&attributes) & PSA_KEY_USAGE_VERIFY_HASH) != 0;
    psa_reset_key_attributes(&attributes);
    return status;
}

bool dp_keys_exist(uint32_t kid) {
    struct dp_record record;
    return is_kid(kid) && dp_store_find(DP_RECORD_KEY, kid, &record)
        && look_up(kid, NULL) == PSA_SUCCESS;
}

// A record of anything but a kid is damage; kids end well below UINT32_MAX, so loops over them do.
static bool next_record(uint32_t least, uint32_t *kid) {
    return dp_store_next(DP_RECORD_KEY, least, kid) && *kid <= PSA_KEY_ID_USER_MAX;
}

bool dp_keys_next(uint32_t least, uint32_t *kid) {
    // The record of a kid is written before its key and removed after it, so it may stand alone.
    for (; next_record(least, kid); least = *kid + 1)
        if (dp_keys_exist(*kid)) return true;
    return false;
}

static enum dp_error add_record(uint32_t kid) {
    struct dp_record record;
    struct dp_record_writer writer;
    uint32_t other;
    int count = 0;
    if (dp_store_find(DP_RECORD_KEY, kid, &record)) return DP_OK;
    for (uint32_t least = 0; next_record(least, &other); least = other + 1) count++;
    if (count >= DP_MAXIMUM_KEYS) return DP_STORAGE_FULL;
    enum dp_store_status status = dp_store_begin(&writer, DP_RECORD_KEY, kid, 0);
    return error_of_store(status == DP_STORE_OK ? dp_store_commit(&writer) : status);
}

// Also the check before an old key is given up for this one.
static enum dp_error check_scalar(const uint8_t *scalar) {
    psa_key_attributes_t attributes = attributes_of(0, true);
    psa_key_id_t volatile_id = 0;
    psa_status_t status = psa_import_key(&attributes, scalar, SCALAR_SIZE, &volatile_id);
    if (status != PSA_SUCCESS) return dp_error_of_psa(status);
    return dp_error_of_psa(psa_destroy_key(volatile_id));
}

// `scalar` is NULL for a random key, which is made only while the entropy source is alive.
static enum dp_error make(uint32_t kid, const uint8_t *scalar, bool replace) {
    uint8_t sample[16];
    if (!scalar && !dp_hal_entropy(sample, sizeof sample)) return DP_NO_ENTROPY;
    enum dp_error error = scalar ? check_scalar(scalar) : DP_OK;
    if (error == DP_OK) error = add_record(kid);
    if (error != DP_OK) return error;
    psa_status_t status = PSA_SUCCESS;
    psa_key_attributes_t attributes = attributes_of(kid, scalar != NULL);
    psa_key_id_t made = 0;
    dp_key_replacement = (struct dp_key_replacement){.kid = replace ? kid : 0};
    if (replace) status = psa_destroy_key(kid);
    if (status == PSA_SUCCESS && scalar)
        status = psa_import_key(&attributes, scalar, SCALAR_SIZE, &made);
    else if (status == PSA_SUCCESS)
        status = psa_generate_key(&attributes, &made);
    dp_key_replacement = (struct dp_key_replacement){0};
    if (status != PSA_SUCCESS && !replace) (void)dp_store_remove(DP_RECORD_KEY, kid);
    return dp_error_of_psa(status);
}

static enum dp_error erase(uint32_t kid) {
    // Credentials first: they are nothing without the key, but the key can get new ones.
    enum dp_error error = dp_credentials_remove(kid);
    if (error == DP_OK) error = dp_error_of_psa(psa_destroy_key(kid));
    return error == DP_OK ? error_of_store(dp_store_remove(DP_RECORD_KEY, kid)) : error;
}

bool dp_keys_start(void) {
    uint32_t kid;
    dp_key_replacement = (struct dp_key_replacement){0};
    start_error = dp_error_of_psa(psa_crypto_init());
    if (start_error != DP_OK) return false;
    for (uint32_t least = 0; next_record(least, &kid); least = kid + 1)
        if (look_up(kid, NULL) == PSA_ERROR_DOES_NOT_EXIST) dp_store_remove(DP_RECORD_KEY, kid);
    return dp_keys_next(0, &kid) || make(DEFAULT_KID, NULL, false) == DP_OK;
}

enum dp_error dp_keys_public(uint32_t kid, uint8_t point[DP_POINT_SIZE]) {
    size_t length = 0;
    if (start_error != DP_OK) return start_error;
    if (!dp_keys_exist(kid)) return DP_NO_SUCH_KEY;
    psa_status_t status = psa_export_public_key(kid, point, DP_POINT_SIZE, &length);
    if (status != PSA_SUCCESS) return dp_error_of_psa(status);
    return length == DP_POINT_SIZE ? DP_OK : DP_CRYPTO_FAILED;
}

enum dp_error dp_keys_sign(
    uint32_t kid, const uint8_t hash[DP_SHA256_SIZE], uint8_t signature[DP_SIGNATURE_SIZE]) {
    size_t length = 0;
    psa_status_t status = psa_sign_hash(
        kid, PSA_ALG_ECDSA(PSA_ALG_SHA_256), hash, DP_SHA256_SIZE, signature, DP_SIGNATURE_SIZE,
        &length);
    if (status != PSA_SUCCESS) return dp_error_of_psa(status);
    return length == DP_SIGNATURE_SIZE ? DP_OK : DP_CRYPTO_FAILED;
}

static enum dp_error put_key(uint32_t kid, struct dp_writer *answer) {
    uint8_t point[DP_POINT_SIZE];
    bool imported = false;
    enum dp_error error = dp_keys_public(kid, point);
    if (error == DP_OK) error = dp_error_of_psa(look_up(kid, &imported));
    if (error != DP_OK) return error;
    dp_cbor_map(answer, 4);
    dp_cbor_text(answer, "kid");
    dp_cbor_uint(answer, kid);
    dp_cbor_text(answer, "alg");
    dp_cbor_int(answer, DP_COSE_ES256);
    dp_cbor_text(answer, "pub");
    dp_cbor_bytes(answer, point, sizeof point);
    dp_cbor_text(answer, "imported");
    dp_cbor_bool(answer, imported);
    return DP_OK;
}

enum dp_error dp_key_read(const struct dp_request *request, struct dp_writer *answer) {
    uint32_t kid;
    if (!dp_request_uint(request, DP_FIELD_KID, &kid)) return DP_MALFORMED;
    return put_key(kid, answer);
}

/// The smallest kid that nothing uses, neither this library nor the firmware.
static uint32_t free_kid(void) {
    struct dp_record record;
    uint32_t kid = PSA_KEY_ID_USER_MIN;
    while (dp_store_find(DP_RECORD_KEY, kid, &record) || look_up(kid, NULL) == PSA_SUCCESS) kid++;
    return kid;
}

static enum dp_error check_alg(const struct dp_request *request) {
    const struct dp_item *alg = &request->fields[DP_FIELD_ALG];
    if (alg->kind == DP_ITEM_ABSENT) return DP_OK;
    if (alg->kind != DP_ITEM_NEGATIVE && alg->kind != DP_ITEM_UNSIGNED) return DP_MALFORMED;
    bool supported = alg->kind == DP_ITEM_NEGATIVE && alg->number == -1 - DP_COSE_ES256;
    return supported ? DP_OK : DP_UNSUPPORTED;
}

enum dp_error dp_key_write(const struct dp_request *request, struct dp_writer *answer) {
    uint32_t kid = 0;
    const uint8_t *scalar = NULL;
    size_t length = SCALAR_SIZE;
    const struct dp_item *replaces = &request->fields[DP_FIELD_REPLACE];
    bool has_kid = dp_request_has(request, DP_FIELD_KID);
    if (has_kid && !dp_request_uint(request, DP_FIELD_KID, &kid)) return DP_MALFORMED;
    if (dp_request_has(request, DP_FIELD_VALUE)
        && !dp_request_bytes(request, DP_FIELD_VALUE, &scalar, &length))
        return DP_MALFORMED;
    if (replaces->kind != DP_ITEM_ABSENT && replaces->kind != DP_ITEM_BOOL) return DP_MALFORMED;
    enum dp_error error = check_alg(request);
    if (error != DP_OK) return error;
    if (length != SCALAR_SIZE) return DP_BAD_LENGTH_OR_OFFSET;
    if (start_error != DP_OK) return start_error;
    if (!has_kid) kid = free_kid();
    if (!is_kid(kid)) return DP_UNSUPPORTED;
    bool exists = look_up(kid, NULL) == PSA_SUCCESS;
    if (exists && !(replaces->number && dp_keys_exist(kid))) return DP_KEY_EXISTS;
    if (exists && dp_credentials_locked()) return DP_LOCKED;
    dp_documents_forget();
    error = make(kid, scalar, exists);
    // What was issued for the old key says nothing about this one. Trust anchors go as well.
    if (error == DP_OK && exists) error = dp_credentials_remove(kid);
    return error == DP_OK ? put_key(kid, answer) : error;
}

enum dp_error dp_key_erase(const struct dp_request *request, struct dp_writer *answer) {
    uint32_t kid;
    if (!dp_request_uint(request, DP_FIELD_KID, &kid)) return DP_MALFORMED;
    if (start_error != DP_OK) return start_error;
    if (!dp_keys_exist(kid)) return DP_NO_SUCH_KEY;
    if (dp_credentials_locked()) return DP_LOCKED;
    dp_documents_forget();
    enum dp_error error = erase(kid);
    if (error == DP_OK) dp_cbor_map(answer, 0);
    return error;
}
