#if defined(BOARD_MICROBIT) || defined(BOARD_MPS2_AN386)
#include "mbedtls_source.h"

#include "library/psa_crypto_client.c"
#include "library/psa_crypto_driver_wrappers.c"
#include "library/psa_crypto_hash.c"
#include "library/psa_crypto_mac.c"
#include "library/psa_crypto_cipher.c"
#include "library/psa_crypto_aead.c"
#include "library/psa_crypto_rsa.c"
#include "library/psa_crypto_ecp.c"

#endif
