#if defined(BOARD_MICROBIT) || defined(BOARD_MPS2_AN386)
#include "mbedtls_source.h"

#include "library/aes.c"
#include "library/ctr_drbg.c"
#include "library/entropy.c"

#endif
