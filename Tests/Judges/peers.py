"""Loads what CoAP peers load, with their own libraries, and prints what they make of it as JSON.

    peers.py ariel PEERS.YML        PyYAML, cbor-diag and lakers, as Ariel OS's build script does it
    peers.py aiocoap CREDENTIALS    aiocoap's own loader
"""
import json
import pathlib
import sys

import cbor2
import cbor_diag

METHODS = ["GET", "POST", "PUT", "DELETE", "FETCH", "PATCH", "iPATCH"]


def credential(octets):
    import lakers

    parsed = lakers.Credential(octets)
    return parsed.public_key().hex()


def aif(scope):
    """RFC 9237, or true: as src/ariel-os-coap/build.rs encodes it."""
    if scope == "allow-all":
        return True
    entries = []
    for path, methods in scope.items():
        methods = [methods] if isinstance(methods, str) else methods
        assert path.startswith("/") and methods
        entries.append([path, sum(1 << METHODS.index(method) for method in methods)])
    return entries


def ariel(path):
    import yaml

    peers, unauthenticated = {}, None
    for item in yaml.safe_load(pathlib.Path(path).read_text()):
        scope = aif(item.pop("scope"))
        ((kind, value),) = item.items()
        if kind == "from":
            assert value == "unauthenticated" and unauthenticated is None
            unauthenticated = scope
        else:
            assert kind == "kccs", kind
            peers[credential(cbor_diag.diag2cbor(value))] = scope
    return {"peers": peers, "unauthenticated": unauthenticated}


def aiocoap(path):
    from aiocoap.credentials import CredentialsMap

    loaded = cbor2.loads(cbor_diag.diag2cbor(pathlib.Path(path).read_text()))
    credentials = CredentialsMap()
    credentials.load_from_dict(loaded)
    result = {}
    for uri, item in credentials.items():
        key = credential(cbor2.dumps(item.peer_cred[14], canonical=True))
        style = item.own_cred_style and item.own_cred_style.value
        result[uri] = {"key": key, "style": style, "own": item.own_key.d.hex()}
    return result


print(json.dumps({"ariel": ariel, "aiocoap": aiocoap}[sys.argv[1]](*sys.argv[2:])))
