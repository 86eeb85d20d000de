"""Other people's code judges what `provision` and the firmware made.

    verify.py evidence FILE            pycose and cbor2: signature, claims, deterministic encoding
    verify.py cwt FILE KEYFILE         PyPI's cwt: signature by the COSE_Key in KEYFILE, claims
    verify.py keyset FILE              cbor2 and pycose: every COSE_Key, its thumbprint as its kid

Prints what was verified as JSON; exits with 1 and a reason where something does not hold.
"""

import hashlib
import json
import sys

import cbor2
import cwt
from pycose.keys import CoseKey
from pycose.messages import Sign1Message

PROFILE = "tag:provision,2026:evidence#1"


def read(path):
    with open(path, "rb") as file:
        return file.read()


def check(condition, reason):
    if not condition:
        sys.exit(f"verify.py: {reason}")


def thumbprint(key):
    """RFC 9679: SHA-256 over the deterministic encoding of the required members."""
    required = {label: key[label] for label in (1, -1, -2, -3)}
    return hashlib.sha256(cbor2.dumps(required, canonical=True)).digest()


def evidence(path):
    data = read(path)
    tag = cbor2.loads(data)
    check(tag.tag == 18, f"tag {tag.tag}, not 18")
    check(cbor2.dumps(cbor2.loads(tag.value[2]), canonical=True) == tag.value[2],
          "the claims are not deterministic CBOR")
    message = Sign1Message.decode(data)
    claims = cbor2.loads(message.payload)
    key = claims[8][1]
    message.key = CoseKey.from_dict(key)
    check(message.verify_signature(), "pycose: the signature does not verify")
    board, identifier = claims[-65538], claims[-65537]
    ueid = b"\x01" + hashlib.sha256(board.encode() + b"\x00" + identifier).digest()[:16]
    check(claims[256] == ueid, "the UEID is not derived from board and device ID")
    check(claims[265] == PROFILE, f"profile {claims[265]!r}")
    check(claims[275] == 3, "the intended use is not provisioning")
    return {"board": board, "device": identifier.hex(), "thumbprint": thumbprint(key).hex(),
            "publicKey": "04" + key[-2].hex() + key[-3].hex(), "nonce": claims[10].hex(), "stored": sorted(claims.get(-65539, {}))}


def cwt_(path, key_path):
    key = cwt.COSEKey.from_bytes(read(key_path))
    claims = cwt.decode(read(path), key)
    check(8 in claims and 1 in claims[8], "there is no cnf claim with a COSE_Key")
    return {"issuer": claims.get(1), "subject": claims.get(2),
            "thumbprint": thumbprint(claims[8][1]).hex()}


def keyset(path):
    keys = cbor2.loads(read(path))
    check(isinstance(keys, list), "a COSE_KeySet is an array")
    for key in keys:
        check(CoseKey.from_dict(key).crv is not None, "pycose: no curve")
        check(key.get(2) == thumbprint(key), "a kid is not the key's thumbprint")
    return {"keys": [thumbprint(key).hex() for key in keys]}


if __name__ == "__main__":
    judges = {"evidence": evidence, "cwt": cwt_, "keyset": keyset}
    check(len(sys.argv) > 2 and sys.argv[1] in judges, __doc__)
    print(json.dumps(judges[sys.argv[1]](*sys.argv[2:])))
