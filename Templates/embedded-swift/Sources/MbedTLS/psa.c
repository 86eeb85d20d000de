// A host process links the system's library instead.
#if defined(BOARD_BARE_METAL)

#include "library/psa_crypto.c"

#endif
