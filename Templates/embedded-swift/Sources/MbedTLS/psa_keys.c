// A host process links the system's library instead.
#if defined(BOARD_BARE_METAL)

#include "library/psa_crypto_slot_management.c"
#include "library/psa_crypto_storage.c"

#endif
