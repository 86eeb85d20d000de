/// Credentials: written in pieces, visible only when all of their octets are there and right.
#pragma once
#include "keys.h"
#include "smp.h"

enum { DP_X509_CHAIN = 1, DP_CWT = 2, DP_TRUST_ANCHORS = 3 };

/// Forgets a credential that is being written.
void dp_credentials_reset(void);
/// The SHA-256 of the stored credential.
bool dp_credentials_hash(uint32_t kid, uint8_t type, uint8_t hash[DP_SHA256_SIZE]);
/// Removes all credentials of this key.
enum dp_error dp_credentials_remove(uint32_t kid);
/// Whether the lock command has been given, in this run or an earlier one.
bool dp_credentials_locked(void);
