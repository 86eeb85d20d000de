/// Evidence and certification requests: made at offset 0, kept for the reads that follow.
#pragma once
#include "smp.h"

enum { DP_DOCUMENT_SIZE = 512 };

/// At the start: nothing is kept, and the next report begins a boot.
void dp_documents_start(void);
/// Forgets the document that is kept, for instance because its key changed.
void dp_documents_forget(void);
/// Keeps it for whoever reads it, but the next reader from offset 0 gets a new one: what the device
/// stores has changed.
void dp_documents_outdate(void);

/// Writes Evidence with this nonce. Returns its length, or 0 and the error.
size_t dp_evidence_make(
    uint32_t kid, const uint8_t *nonce, size_t nonce_length, uint8_t out[DP_DOCUMENT_SIZE],
    enum dp_error *error);
/// Writes a PKCS#10 request.
size_t dp_csr_make(uint32_t kid, uint8_t out[DP_DOCUMENT_SIZE], enum dp_error *error);
