// A host process links the system's library instead.
#if defined(BOARD_BARE_METAL)

#include "library/psa_crypto_client.c"
#include "library/psa_crypto_driver_wrappers.c"
#include "library/psa_crypto_hash.c"
#include "library/psa_crypto_mac.c"
#include "library/psa_crypto_cipher.c"
#include "library/psa_crypto_aead.c"
#include "library/psa_crypto_rsa.c"
#include "library/psa_crypto_ecp.c"

#endif
