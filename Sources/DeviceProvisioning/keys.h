/// The device's P-256 keys, in PSA Crypto's persistent storage under their own ids.
#pragma once
#include <psa/crypto.h>
#include <stdbool.h>
#include <stdint.h>

#include "smp.h"

enum {
    DP_MAXIMUM_KEYS = 8,
    DP_COSE_ES256 = -7,
    /// SEC 1 §2.3.3, uncompressed: 04 ‖ x ‖ y.
    DP_POINT_SIZE = 65,
    DP_SIGNATURE_SIZE = 64,
    DP_SHA256_SIZE = 32,
};

/// Starts PSA Crypto, forgets keys that were never finished, and makes key 1 if there is none.
bool dp_keys_start(void);
/// The smallest kid of a key that exists and is at least `least`.
bool dp_keys_next(uint32_t least, uint32_t *kid);
bool dp_keys_exist(uint32_t kid);
enum dp_error dp_keys_public(uint32_t kid, uint8_t point[DP_POINT_SIZE]);
/// ECDSA with SHA-256; r ‖ s, RFC 9053 §2.1.
enum dp_error dp_keys_sign(
    uint32_t kid, const uint8_t hash[DP_SHA256_SIZE], uint8_t signature[DP_SIGNATURE_SIZE]);

/// A key that is being replaced. While `kid` is not 0, removing its PSA record only hides it:
/// the record of the new key takes its place in one step, or the old one comes back.
struct dp_key_replacement {
    uint32_t kid;
    bool removed;
};
extern struct dp_key_replacement dp_key_replacement;

enum dp_error dp_error_of_psa(psa_status_t status);
