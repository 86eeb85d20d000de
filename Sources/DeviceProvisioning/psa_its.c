// PSA Internal Trusted Storage over the record store, for bare metal: a host's libmbedcrypto brings
// its own over files. Build with DP_PSA_ITS and with its/ on the include path.
#ifdef DP_PSA_ITS

#include <psa/internal_trusted_storage.h>

#include "keys.h"
#include "store.h"

enum { FLAGS_SIZE = 4 };

static bool is_hidden(psa_storage_uid_t uid) {
    return dp_key_replacement.removed && dp_key_replacement.kid == uid;
}

static bool find(psa_storage_uid_t uid, struct dp_record *record) {
    return uid >> 32 == 0 && !is_hidden(uid) && dp_store_find(DP_RECORD_PSA, (uint32_t)uid, record)
        && record->length >= FLAGS_SIZE;
}

static psa_status_t status_of(enum dp_store_status status) {
    switch (status) {
    case DP_STORE_OK:
        return PSA_SUCCESS;
    case DP_STORE_FULL:
        return PSA_ERROR_INSUFFICIENT_STORAGE;
    default:
        return PSA_ERROR_STORAGE_FAILURE;
    }
}

psa_status_t psa_its_set(
    psa_storage_uid_t uid, uint32_t data_length, const void *p_data,
    psa_storage_create_flags_t create_flags) {
    struct dp_record_writer writer;
    struct psa_storage_info_t info;
    if (uid == 0 || uid >> 32) return PSA_ERROR_INVALID_ARGUMENT;
    if (create_flags & ~PSA_STORAGE_FLAG_WRITE_ONCE) return PSA_ERROR_NOT_SUPPORTED;
    if (psa_its_get_info(uid, &info) == PSA_SUCCESS && info.flags & PSA_STORAGE_FLAG_WRITE_ONCE)
        return PSA_ERROR_NOT_PERMITTED;
    if (data_length > UINT16_MAX - FLAGS_SIZE) return PSA_ERROR_INSUFFICIENT_STORAGE;
    enum dp_store_status status = dp_store_begin(
        &writer, DP_RECORD_PSA, (uint32_t)uid, data_length + FLAGS_SIZE);
    if (status == DP_STORE_OK)
        status = dp_store_append(&writer, (const uint8_t *)&create_flags, FLAGS_SIZE);
    if (status == DP_STORE_OK) status = dp_store_append(&writer, p_data, data_length);
    if (status == DP_STORE_OK) status = dp_store_commit(&writer);
    if (status == DP_STORE_OK && dp_key_replacement.kid == uid) dp_key_replacement.removed = false;
    return status_of(status);
}

psa_status_t psa_its_get(
    psa_storage_uid_t uid, uint32_t data_offset, uint32_t data_length, void *p_data,
    size_t *p_data_length) {
    struct dp_record record;
    if (!find(uid, &record)) return PSA_ERROR_DOES_NOT_EXIST;
    uint32_t size = record.length - FLAGS_SIZE;
    if (data_offset > size) return PSA_ERROR_INVALID_ARGUMENT;
    if (data_length > size - data_offset) data_length = size - data_offset;
    dp_store_read(&record, FLAGS_SIZE + data_offset, p_data, data_length);
    *p_data_length = data_length;
    return PSA_SUCCESS;
}

psa_status_t psa_its_get_info(psa_storage_uid_t uid, struct psa_storage_info_t *p_info) {
    struct dp_record record;
    if (!find(uid, &record)) return PSA_ERROR_DOES_NOT_EXIST;
    p_info->size = record.length - FLAGS_SIZE;
    dp_store_read(&record, 0, &p_info->flags, FLAGS_SIZE);
    return PSA_SUCCESS;
}

psa_status_t psa_its_remove(psa_storage_uid_t uid) {
    struct psa_storage_info_t info;
    psa_status_t status = psa_its_get_info(uid, &info);
    if (status != PSA_SUCCESS) return status;
    if (info.flags & PSA_STORAGE_FLAG_WRITE_ONCE) return PSA_ERROR_NOT_PERMITTED;
    if (dp_key_replacement.kid == uid) {
        dp_key_replacement.removed = true;
        return PSA_SUCCESS;
    }
    return status_of(dp_store_remove(DP_RECORD_PSA, (uint32_t)uid));
}

#else
typedef int dp_psa_its_is_not_compiled;
#endif
