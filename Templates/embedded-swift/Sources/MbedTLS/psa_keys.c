#if defined(BOARD_MICROBIT) || defined(BOARD_MPS2_AN386)
#include "mbedtls_source.h"

#include "library/psa_crypto_slot_management.c"
#include "library/psa_crypto_storage.c"

#endif
