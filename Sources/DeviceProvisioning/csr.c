// PKCS#10 (RFC 2986) by hand: a certification request has one shape here, and an X.509 library
// would not fit beside it.
#include <string.h>

#include "documents.h"
#include "identity.h"
#include "keys.h"

enum { TAG_INTEGER = 0x02, TAG_BITS = 0x03, TAG_UTF8 = 0x0c, TAG_SEQUENCE = 0x30, TAG_SET = 0x31 };

static const uint8_t version_0[] = {0x02, 0x01, 0x00};
/// id-at-commonName, RFC 5280 A.1.
static const uint8_t common_name[] = {0x06, 0x03, 0x55, 0x04, 0x03};
/// SubjectPublicKeyInfo of a P-256 point up to the point itself, RFC 5480 §2.
static const uint8_t public_key_info[] = {
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01,
    0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00};
/// No attributes: [0], empty.
static const uint8_t attributes[] = {0xa0, 0x00};
/// ecdsa-with-SHA256, RFC 5758 §3.2.
static const uint8_t signature_algorithm[] = {
    0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02};

struct der {
    uint8_t *bytes;
    size_t length;
    bool full;
};

static void put(struct der *der, const uint8_t *bytes, size_t length) {
    if (der->full || DP_DOCUMENT_SIZE - der->length < length) {
        der->full = true;
        return;
    }
    memcpy(der->bytes + der->length, bytes, length);
    der->length += length;
}

/// Puts tag and length before what was written since `start`.
static void wrap(struct der *der, size_t start, uint8_t tag) {
    size_t length = der->length - start;
    uint8_t head[4] = {tag, (uint8_t)length};
    size_t head_length = 2;
    if (length > 0xff) {
        head[1] = 0x82;
        head[2] = (uint8_t)(length >> 8);
        head[3] = (uint8_t)length;
        head_length = 4;
    } else if (length > 0x7f) {
        head[1] = 0x81;
        head[2] = (uint8_t)length;
        head_length = 3;
    }
    put(der, head, head_length);
    if (der->full) return;
    memmove(der->bytes + start + head_length, der->bytes + start, length);
    memcpy(der->bytes + start, head, head_length);
}

static void put_subject(struct der *der) {
    static const char digits[] = "0123456789abcdef";
    uint8_t id[DP_MAXIMUM_ID_SIZE];
    size_t id_length = dp_identity_id(id), start = der->length;
    put(der, common_name, sizeof common_name);
    size_t name = der->length;
    for (size_t index = 0; index < id_length; index++) {
        uint8_t pair[2] = {(uint8_t)digits[id[index] >> 4], (uint8_t)digits[id[index] & 15]};
        put(der, pair, sizeof pair);
    }
    wrap(der, name, TAG_UTF8);
    wrap(der, start, TAG_SEQUENCE);  // AttributeTypeAndValue
    wrap(der, start, TAG_SET);       // RelativeDistinguishedName
    wrap(der, start, TAG_SEQUENCE);  // RDNSequence
}

static void put_scalar(struct der *der, const uint8_t *scalar) {
    size_t start = der->length, skipped = 0;
    while (skipped < 31 && scalar[skipped] == 0) skipped++;
    if (scalar[skipped] & 0x80) put(der, (const uint8_t[1]){0}, 1);
    put(der, scalar + skipped, 32 - skipped);
    wrap(der, start, TAG_INTEGER);
}

static void put_signature(struct der *der, const uint8_t signature[DP_SIGNATURE_SIZE]) {
    size_t bits = der->length;
    put(der, (const uint8_t[1]){0}, 1);  // no unused bits
    size_t start = der->length;
    put_scalar(der, signature);
    put_scalar(der, signature + 32);
    wrap(der, start, TAG_SEQUENCE);
    wrap(der, bits, TAG_BITS);
}

size_t dp_csr_make(uint32_t kid, uint8_t out[DP_DOCUMENT_SIZE], enum dp_error *error) {
    struct der der = {.bytes = out};
    uint8_t point[DP_POINT_SIZE], hash[DP_SHA256_SIZE], signature[DP_SIGNATURE_SIZE];
    size_t hash_length;
    *error = dp_keys_public(kid, point);
    if (*error != DP_OK) return 0;
    put(&der, version_0, sizeof version_0);
    put_subject(&der);
    put(&der, public_key_info, sizeof public_key_info);
    put(&der, point, sizeof point);
    put(&der, attributes, sizeof attributes);
    wrap(&der, 0, TAG_SEQUENCE);  // CertificationRequestInfo, which is what is signed
    *error = dp_error_of_psa(psa_hash_compute(
        PSA_ALG_SHA_256, out, der.length, hash, sizeof hash, &hash_length));
    if (*error == DP_OK) *error = dp_keys_sign(kid, hash, signature);
    if (*error != DP_OK) return 0;
    put(&der, signature_algorithm, sizeof signature_algorithm);
    put_signature(&der, signature);
    wrap(&der, 0, TAG_SEQUENCE);
    if (der.full) *error = DP_BAD_LENGTH_OR_OFFSET;
    return *error == DP_OK ? der.length : 0;
}
