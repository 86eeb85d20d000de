#pragma once

// The files of this target include mbedTLS's own. A host process links the system's library instead, so there they are
// empty.
#if !__has_include("../../Vendor/mbedtls/library/common.h")
#error "mbedTLS is missing: run Scripts/fetch-mbedtls of the provision repository (--destination Vendor/mbedtls)"
#endif
