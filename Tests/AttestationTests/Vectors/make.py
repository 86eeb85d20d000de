#!/usr/bin/env python3
"""Writes the evidence vectors beside this file: one file, one failure.

Needs the PyPI package "cryptography". The keys are the scalars 1000001 and 1000002: worthless
outside these tests. Signatures are deterministic (RFC 6979), so that another run changes nothing.
"""
import hashlib
import pathlib

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

HERE = pathlib.Path(__file__).parent
P = 2**256 - 2**224 + 2**192 + 2**96 - 1
B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
DEVICE = ec.derive_private_key(1000001, ec.SECP256R1())
OTHER = ec.derive_private_key(1000002, ec.SECP256R1())
ID = bytes.fromhex("1f0c5a9922ee4b07")
BOARD = "microbit"
NONCE = bytes(range(0x10, 0x30))
CWT_HASH = hashlib.sha256(b"an earlier token").digest()


class Raw(bytes):
    """Encoded already."""


def head(major, n):
    if n < 24:
        return bytes([major << 5 | n])
    for info, size in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if n < 1 << 8 * size:
            return bytes([major << 5 | info]) + n.to_bytes(size, "big")
    raise ValueError(n)


def cbor(value):
    if isinstance(value, Raw):
        return bytes(value)
    if isinstance(value, int):
        return head(0, value) if value >= 0 else head(1, -1 - value)
    if isinstance(value, bytes):
        return head(2, len(value)) + value
    if isinstance(value, str):
        return head(3, len(value.encode())) + value.encode()
    if isinstance(value, list):
        return head(4, len(value)) + b"".join(map(cbor, value))
    if isinstance(value, dict):
        pairs = sorted((cbor(k), cbor(v)) for k, v in value.items())
        return head(5, len(pairs)) + b"".join(k + v for k, v in pairs)
    raise TypeError(value)


def coordinates(key):
    numbers = key.public_key().public_numbers()
    return numbers.x.to_bytes(32, "big"), numbers.y.to_bytes(32, "big")


def cose_key(key):
    x, y = coordinates(key)
    return {1: 2, -1: 1, -2: x, -3: y}


def ueid(board=BOARD, device_id=ID):
    return b"\x01" + hashlib.sha256(board.encode() + b"\0" + device_id).digest()[:16]


def claims(change={}, drop=()):
    result = {
        8: {1: cose_key(DEVICE)}, 10: NONCE, 256: ueid(), 265: "tag:provision,2026:evidence#1",
        275: 3, -65537: ID, -65538: BOARD, -65539: {2: CWT_HASH},
    }
    result.update(change)
    return {k: v for k, v in result.items() if k not in drop}


def signature(key, protected, payload):
    message = cbor(["Signature1", protected, b"", payload])
    der = key.sign(message, ec.ECDSA(hashes.SHA256(), deterministic_signing=True))
    r, s = utils.decode_dss_signature(der)
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def evidence(payload=None, key=DEVICE, protected=None, unprotected=None, tag=18, signed=None):
    payload = cbor(claims()) if payload is None else payload
    protected = cbor({1: -7}) if protected is None else protected
    made = signature(key, protected, payload) if signed is None else signed
    message = [protected, unprotected or {}, payload, made]
    return (b"" if tag is None else head(6, tag)) + cbor(message)


def with_claims(change={}, drop=(), **rest):
    return evidence(payload=cbor(claims(change, drop)), **rest)


def vector(name, expect, data, comment):
    lines = [f"comment: {comment}", f"expect: {expect}", ""]
    digits = data.hex()
    lines += [digits[i : i + 80] for i in range(0, len(digits), 80)]
    (HERE / name).write_text("\n".join(lines) + "\n")


def accepted():
    vector("good", "accepted", evidence(), "what a device sends")
    vector("good-blank", "accepted", with_claims({-65539: {}}), "a device that stores nothing")
    vector("good-esp256", "accepted", evidence(protected=cbor({1: -9})), "fully-specified ESP256")
    x, y = coordinates(DEVICE)
    vector("good-compressed", "accepted",
           with_claims({8: {1: {1: 2, -1: 1, -2: x, -3: Raw(b"\xf5" if y[-1] & 1 else b"\xf4")}}}),
           "y as a sign bit, RFC 9053 section 7.1.1")
    vector("good-extra-claim", "accepted", with_claims({-70000: "x", 256 + 2: 7}),
           "claims that the profile does not know are ignored")


def appraisal():
    vector("nonce-of-previous-run", "evidence-replayed",
           with_claims({10: bytes(range(0x40, 0x60))}), "a nonce that this run did not send")
    vector("nonce-extended", "evidence-replayed", with_claims({10: NONCE + b"\0"}),
           "the nonce and an octet")
    vector("other-key-signature", "evidence-signature", evidence(key=OTHER),
           "signed by another key than the one in cnf")
    other_payload = cbor(claims({10: bytes(range(0x40, 0x60))}))
    vector("signature-of-other-payload", "evidence-signature",
           evidence(signed=signature(DEVICE, cbor({1: -7}), other_payload)),
           "the signature of another evidence of this device")
    vector("signature-zero", "evidence-signature", evidence(signed=bytes(64)), "r = s = 0")
    vector("signature-short", "evidence-signature",
           evidence(signed=signature(DEVICE, cbor({1: -7}), cbor(claims()))[:63]), "63 octets")
    vector("other-key", "key-mismatch", with_claims({8: {1: cose_key(OTHER)}}, key=OTHER),
           "sound, but of a key that the device did not announce")
    other_id = bytes.fromhex("77b0000000000001")
    vector("other-device-id", "id-mismatch",
           with_claims({-65537: other_id, 256: ueid(BOARD, other_id)}),
           "sound, but of another device")
    vector("other-board", "id-mismatch",
           with_claims({-65538: "nrf52840dk", 256: ueid("nrf52840dk", ID)}),
           "sound, but of another board")
    vector("wrong-ueid", "id-mismatch", with_claims({256: ueid("nrf52840dk", ID)}),
           "the UEID of another board")


def keys():
    x, y = coordinates(DEVICE)
    vector("point-not-on-curve", "key-invalid",
           with_claims({8: {1: {1: 2, -1: 1, -2: x, -3: x}}}), "y is x")
    vector("point-without-y", "key-invalid", with_claims({8: {1: {1: 2, -1: 1, -2: x}}}), "no y")
    pointless = next(x for x in range(5, 99) if pow(x**3 - 3 * x + B, (P - 1) // 2, P) != 1)
    vector("point-compressed-not-on-curve", "key-invalid",
           with_claims({8: {1: {1: 2, -1: 1, -2: pointless.to_bytes(32, "big"), -3: Raw(b"\xf5")}}}),
           "no point has this x")
    vector("point-infinity", "key-invalid",
           with_claims({8: {1: {1: 2, -1: 1, -2: bytes(32), -3: bytes(32)}}}), "x = y = 0")
    vector("coordinate-above-field", "key-invalid",
           with_claims({8: {1: {1: 2, -1: 1, -2: P.to_bytes(32, "big"), -3: y}}}), "x is the prime")
    vector("key-type-symmetric", "key-invalid", with_claims({8: {1: {1: 4, -1: bytes(32)}}}),
           "a symmetric key in cnf")
    vector("key-private", "key-invalid",
           with_claims({8: {1: cose_key(DEVICE) | {-4: (1000001).to_bytes(32, "big")}}}),
           "the device gave its private key away")
    vector("algorithm-of-other-curve", "key-invalid", evidence(protected=cbor({1: -8})),
           "EdDSA with a P-256 key")
    vector("algorithm-unknown", "key-invalid", evidence(protected=cbor({1: -999})), "alg -999")


def profiles():
    vector("wrong-profile", "evidence-profile",
           with_claims({265: "tag:provision,2026:evidence#2"}), "a later profile")
    vector("missing-profile", "evidence-profile", with_claims(drop=(265,)), "no profile")
    vector("profile-bytes", "evidence-profile",
           with_claims({265: b"tag:provision,2026:evidence#1"}), "a byte string as profile")


def malformed_claims():
    names = {8: "cnf", 10: "nonce", 256: "ueid", 275: "intended-use", -65537: "device-id",
             -65538: "board", -65539: "stored-credentials"}
    for key, name in names.items():
        vector(f"missing-{name}", "evidence-malformed", with_claims(drop=(key,)), f"no claim {key}")
    changes = {
        "intended-use-generic": ({275: 1}, "made for another use"),
        "nonce-7": ({10: bytes(7)}, "a nonce of 7 octets"),
        "nonce-65": ({10: bytes(65)}, "a nonce of 65 octets"),
        "nonce-array": ({10: [NONCE, NONCE]}, "two nonces, RFC 9711 section 4.1"),
        "ueid-16": ({256: ueid()[:16]}, "a UEID of 16 octets"),
        "device-id-empty": ({-65537: b""}, "an empty device ID"),
        "device-id-65": ({-65537: bytes(65)}, "a device ID of 65 octets"),
        "device-id-text": ({-65537: ID.hex()}, "a device ID in hexadecimal text"),
        "board-empty": ({-65538: ""}, "an empty board"),
        "board-65": ({-65538: "b" * 65}, "a board of 65 octets"),
        "board-escape": ({-65538: "micro\x1b[2Jbit"}, "a board that clears the terminal"),
        "board-zero": ({-65538: "micro\0bit"}, "a board with the UEID's separator"),
        "stored-hash-31": ({-65539: {2: CWT_HASH[:31]}}, "a hash of 31 octets"),
        "stored-type-text": ({-65539: {"cwt": CWT_HASH}}, "a credential type as text"),
        "stored-array": ({-65539: [CWT_HASH]}, "an array of hashes"),
        "cnf-key-id": ({8: {3: b"kid"}}, "cnf names a key and does not hold it"),
        "cnf-two-methods": ({8: {1: cose_key(DEVICE), 3: b"kid"}}, "cnf with two methods"),
    }
    for name, (change, comment) in changes.items():
        vector(name, "evidence-malformed", with_claims(change), comment)


def malformed_encoding():
    good = evidence()
    payload = cbor(claims())
    entry = cbor(10) + cbor(NONCE)
    pairs = [(cbor(k), cbor(v)) for k, v in claims().items()]
    ordered = b"".join(k + v for k, v in sorted(pairs))
    cases = {
        "empty": (b"", "nothing"),
        "truncated": (good[:-1], "the last octet is missing"),
        "trailing": (good + b"\0", "an octet behind the message"),
        "untagged": (evidence(tag=None), "no tag"),
        "tag-mac0": (evidence(tag=17), "the tag of COSE_Mac0"),
        "duplicate-claim": (
            evidence(payload=head(5, 9) + entry + ordered), "the nonce stands twice"),
        "unordered-claims": (
            evidence(payload=head(5, 8) + b"".join(k + v for k, v in sorted(pairs, reverse=True))),
            "map keys in reverse order"),
        "non-minimal-payload": (
            evidence(payload=payload.replace(cbor(275) + b"\x03", cbor(275) + b"\x18\x03")),
            "3 in two octets"),
        "non-minimal-message": (
            good.replace(b"\xd2\x84", b"\xd8\x12\x84", 1), "tag 18 in two octets"),
        "indefinite-payload": (evidence(payload=b"\xbf" + ordered + b"\xff"), "an indefinite map"),
        "indefinite-message": (
            b"\xd2\x9f" + good[2:] + b"\xff", "an indefinite array as the message"),
        "payload-truncated": (evidence(payload=payload[:-1]), "the last claim is cut"),
        "payload-trailing": (evidence(payload=payload + b"\0"), "an octet behind the claims"),
        "payload-array": (evidence(payload=cbor([1, 2])), "claims in an array"),
        "payload-detached": (
            head(6, 18) + cbor([cbor({1: -7}), {}, Raw(b"\xf6"), bytes(64)]), "no payload"),
        "unprotected-algorithm": (
            evidence(protected=b"", unprotected={1: -7}), "an algorithm that is not signed"),
        "unprotected-key-id": (
            evidence(unprotected={4: b"1"}), "a header parameter that is not signed"),
        "critical-header": (
            evidence(protected=cbor({1: -7, 2: [99], 99: 1})), "a critical header parameter"),
        "text-not-utf8": (
            evidence(payload=payload.replace(b"microbit", b"micro\xff\xfet")), "board is not UTF-8"),
        "deep-nesting": (b"\x81" * 2000 + b"\0", "2000 nested arrays"),
        "deep-nesting-payload": (
            evidence(payload=b"\x81" * 2000 + b"\0"), "2000 nested arrays, signed"),
        "huge-length": (
            b"\xd2\x84\x5b\x7f" + b"\xff" * 7 + good[3:], "a string of 2^63 - 1 octets"),
        "huge-map": (evidence(payload=b"\xbb" + b"\xff" * 8), "a map of 2^64 - 1 pairs"),
        "oversized": (with_claims({-70000: bytes(4096)}), "more octets than the limit"),
    }
    for name, (data, comment) in cases.items():
        vector(name, "evidence-malformed", data, comment)


for make in (accepted, appraisal, keys, profiles, malformed_claims, malformed_encoding):
    make()
