/// PSA status codes, where mbedTLS 2.28 without its file-backed storage looks for them.
#pragma once
#include <psa/crypto.h>

#ifndef PSA_ERROR_DATA_CORRUPT
#define PSA_ERROR_DATA_CORRUPT ((psa_status_t)-152)
#endif
