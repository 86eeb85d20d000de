"""PyPI's cbor2 reads and writes CBOR for a test: one answer line to each line of stdin.

    read HEX     what cbor2 read, as RFC 8949 §4.2.1 would have it encoded
    make SEED    a random value: cbor2's own encoding of it, and the deterministic one
    claims HEX   the same as `read` for the payload of the COSE_Sign1 in HEX

Whatever cbor2 refuses is answered with "error: " and its reason.
"""

import io
import random
import sys

# The two halves that are written in Python: of these the tags can be left as they are.
from cbor2 import _decoder, _encoder
from cbor2._types import CBORSimpleValue, CBORTag, undefined

# Dates, bignums and the like stay tags around their content.
_decoder.semantic_decoders.clear()


def read(data):
    stream = io.BytesIO(data)
    value = _decoder.CBORDecoder(stream).decode()
    if stream.read(1):
        raise ValueError("bytes behind the item")
    return value


def head(major, argument):
    stream = io.BytesIO()
    _encoder.CBOREncoder(stream).encode_length(major, argument)
    return stream.getvalue()


def deterministic(value):
    """cbor2's canonical form, but for the order of map keys, which is RFC 7049's."""
    # A simple value is a tuple, too.
    if isinstance(value, (list, tuple)) and not isinstance(value, CBORSimpleValue):
        return head(4, len(value)) + b"".join(map(deterministic, value))
    if hasattr(value, "items"):
        pairs = sorted((deterministic(key), deterministic(item)) for key, item in value.items())
        return head(5, len(pairs)) + b"".join(key + item for key, item in pairs)
    if isinstance(value, CBORTag):
        return head(6, value.tag) + deterministic(value.value)
    return _encoder.dumps(value, canonical=True)


def make(chance, depth):
    # Python takes 1, 1.0 and True for the same key, so keys are integers and strings.
    scalars = [
        lambda: chance.getrandbits(chance.randrange(65)),
        lambda: -1 - chance.getrandbits(chance.randrange(65)),
        lambda: chance.randbytes(chance.choice([0, 1, 23, 24, 255, 256])),
        lambda: "".join(chr(chance.choice([0x24, 0xE9, 0x6C34, 0x10151]))
                        for _ in range(chance.randrange(30))),
    ]
    others = [
        lambda: chance.choice([True, False, None, undefined, CBORSimpleValue(16),
                               CBORSimpleValue(255)]),
        lambda: chance.choice([0.0, -0.0, 1.5, 1.1, 65504.0, 65505.0, 2.0**-24, 2.0**-149, 1e300,
                               float("inf"), float("nan"), chance.random()]),
    ]
    containers = [
        lambda: [make(chance, depth - 1) for _ in range(chance.randrange(6))],
        lambda: {chance.choice(scalars)(): make(chance, depth - 1)
                 for _ in range(chance.randrange(6))},
        lambda: CBORTag(chance.getrandbits(chance.randrange(65)), make(chance, depth - 1)),
    ]
    return chance.choice(scalars + others + (containers if depth else []))()


def answer(command, argument):
    if command == "make":
        chance = random.Random(int(argument))
        value = [make(chance, 4) for _ in range(6)]
        own = _encoder.dumps(value, indefinite_containers=chance.random() < 0.5)
        return f"{own.hex()} {deterministic(value).hex()}"
    data = bytes.fromhex(argument)
    if command == "claims":
        data = read(data).value[2]
    elif command != "read":
        raise ValueError(f"no command {command!r}")
    return deterministic(read(data)).hex()


for line in sys.stdin:
    try:
        print(answer(*line.split()), flush=True)
    except Exception as error:  # cbor2's own errors, and what a wrong value makes of this script
        print(f"error: {error!r}".replace("\n", " "), flush=True)
