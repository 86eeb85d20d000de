// A host process links the system's library instead.
#if defined(BOARD_BARE_METAL)

#include "library/sha256.c"
#include "library/md.c"

#endif
