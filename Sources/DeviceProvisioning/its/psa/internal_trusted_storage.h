/// PSA Internal Trusted Storage 1.0, as much of it as mbedTLS 2.28 calls. psa_its.c implements it.
#pragma once
#include <psa/error.h>
#include <stddef.h>
#include <stdint.h>

typedef uint64_t psa_storage_uid_t;
typedef uint32_t psa_storage_create_flags_t;

#define PSA_STORAGE_FLAG_NONE ((psa_storage_create_flags_t)0)
#define PSA_STORAGE_FLAG_WRITE_ONCE ((psa_storage_create_flags_t)1)

struct psa_storage_info_t {
    uint32_t size;
    psa_storage_create_flags_t flags;
};

psa_status_t psa_its_set(
    psa_storage_uid_t uid, uint32_t data_length, const void *p_data,
    psa_storage_create_flags_t create_flags);
psa_status_t psa_its_get(
    psa_storage_uid_t uid, uint32_t data_offset, uint32_t data_length, void *p_data,
    size_t *p_data_length);
psa_status_t psa_its_get_info(psa_storage_uid_t uid, struct psa_storage_info_t *p_info);
psa_status_t psa_its_remove(psa_storage_uid_t uid);
