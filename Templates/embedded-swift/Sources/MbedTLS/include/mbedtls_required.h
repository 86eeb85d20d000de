// The toolsets include this before every C file, so that whichever is compiled first says what is
// missing.
#pragma once

#if !__has_include(<mbedtls/version.h>)
#error mbedTLS is missing: run provision/Scripts/fetch-mbedtls --destination Vendor/mbedtls
#endif
