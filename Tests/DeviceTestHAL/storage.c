// The bare-metal key storage, in place of libmbedcrypto's own over files: so the tests cut the
// power below PSA's keys too.
#include "psa_its.c"
