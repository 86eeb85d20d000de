#if defined(BOARD_MICROBIT) || defined(BOARD_MPS2_AN386)
#include "mbedtls_source.h"

#include "library/platform.c"
#include "library/platform_util.c"
#include "library/constant_time.c"
#include "library/memory_buffer_alloc.c"

#endif
