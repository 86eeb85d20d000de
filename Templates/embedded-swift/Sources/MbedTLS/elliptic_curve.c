// A host process links the system's library instead.
#if defined(BOARD_BARE_METAL)

#include "library/bignum.c"
#include "library/asn1parse.c"
#include "library/asn1write.c"
#include "library/ecp_curves.c"
#include "library/ecp.c"
#include "library/ecdsa.c"

#endif
