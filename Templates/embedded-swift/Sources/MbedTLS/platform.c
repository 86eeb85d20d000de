// A host process links the system's library instead.
#if defined(BOARD_BARE_METAL)

#include "library/platform.c"
#include "library/platform_util.c"
#include "library/constant_time.c"
#include "library/memory_buffer_alloc.c"

#endif
