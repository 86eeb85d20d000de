#if defined(BOARD_MICROBIT) || defined(BOARD_MPS2_AN386)
#include "mbedtls_source.h"

#include "library/bignum.c"
#include "library/asn1parse.c"
#include "library/asn1write.c"
#include "library/ecp_curves.c"
#include "library/ecp.c"
#include "library/ecdsa.c"

#endif
