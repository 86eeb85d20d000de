// A host process links the system's library instead.
#if defined(BOARD_BARE_METAL)

#include "library/aes.c"
#include "library/ctr_drbg.c"
#include "library/entropy.c"

#endif
