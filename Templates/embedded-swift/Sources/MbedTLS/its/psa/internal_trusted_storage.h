// PSA Storage API 1.0, internal trusted storage: what mbedTLS calls and the device library implements.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "psa/error.h"

typedef uint64_t psa_storage_uid_t;
typedef uint32_t psa_storage_create_flags_t;
#define PSA_STORAGE_FLAG_NONE 0u
#define PSA_STORAGE_FLAG_WRITE_ONCE 1u

struct psa_storage_info_t {
    uint32_t size;
    psa_storage_create_flags_t flags;
};

psa_status_t psa_its_set(
    psa_storage_uid_t uid, uint32_t data_length, const void *data, psa_storage_create_flags_t flags);
psa_status_t psa_its_get(
    psa_storage_uid_t uid, uint32_t data_offset, uint32_t data_length, void *data, size_t *data_read);
psa_status_t psa_its_get_info(psa_storage_uid_t uid, struct psa_storage_info_t *info);
psa_status_t psa_its_remove(psa_storage_uid_t uid);
