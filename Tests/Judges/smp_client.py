"""PyPI's smpclient talks to a board: the OS group, and all of group 8392.

    smp_client.py PORT FOLDER

Every step is checked; the first that does not hold ends with status 1 and its reason. Evidence and
CSR are left in FOLDER for their own judges, and what was found is printed as JSON. The board is
locked afterwards, for good.
"""

import asyncio
import hashlib
import json
import logging
import os
import sys

from smp.error import MGMT_ERR
from smp.header import Version
from smpclient import SMPClient
from smpclient.generics import error_v1, error_v2, success
from smpclient.requests.os_management import (
    DateTimeRead, EchoWrite, MCUMgrParametersRead, ResetWrite)
from smpclient.transport.serial import SMPSerialRawTransport, SMPSerialTransport
from smpclient.transport.udp import SMPUDPTransport

from device_group import *

# RFC 6979 A.2.5: a private key of P-256 and its point.
PRIVATE = bytes.fromhex("C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721")
POINT = bytes.fromhex(
    "0460FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB6"
    "7903FE1008B8BC99A41AE9E95628BC64F2F1B20C2D7E9F5177A3C294D4462299")
CHAIN, TOKEN = 1, 2
SECONDS = 30  # an upper limit only: CI is slow, and an emulated chip makes keys slowly


def check(condition, reason):
    if not condition:
        sys.exit(f"smp_client.py: {reason}")


# What version 1, which has no group errors, says instead.
NEAREST = {
    DeviceError.MALFORMED: MGMT_ERR.EINVAL,
    DeviceError.NO_SUCH_KEY: MGMT_ERR.ENOENT,
    DeviceError.KEY_EXISTS: MGMT_ERR.EBADSTATE,
    DeviceError.LOCKED: MGMT_ERR.EACCESSDENIED,
    DeviceError.BAD_LENGTH_OR_OFFSET: MGMT_ERR.EMSGSIZE,
    DeviceError.HASH_MISMATCH: MGMT_ERR.ECORRUPT,
    DeviceError.STORAGE_FULL: MGMT_ERR.ENOMEM,
    DeviceError.UNSUPPORTED: MGMT_ERR.ENOTSUP,
}


class Board:
    def __init__(self, client):
        self.client = client
        self.steps = 0

    async def ask(self, request):
        """The response; anything else ends the run."""
        self.steps += 1
        response = await self.client.request(request, timeout_s=SECONDS)
        check(success(response), f"{request!r} was answered {response!r}")
        return response

    async def refused(self, request_type, code, **fields):
        """The group's own code in version 2; in version 1 the protocol's nearest."""
        self.steps += 2
        answer = await self.client.request(request_type(**fields), timeout_s=SECONDS)
        check(error_v2(answer) and answer.err.group == GROUP and answer.err.rc == code,
              f"{request_type.__name__} {fields}: {answer!r}, not {code!r}")
        answer = await self.client.request(
            request_type(**fields, version=Version.V1), timeout_s=SECONDS)
        check(error_v1(answer) and answer.rc == NEAREST.get(code, MGMT_ERR.EUNKNOWN),
              f"{request_type.__name__} {fields} in version 1: {answer!r}")

    async def unsupported(self, request_type):
        for version in Version.V1, Version.V2:
            self.steps += 1
            answer = await self.client.request(request_type(version=version), timeout_s=SECONDS)
            check(error_v1(answer) and answer.rc == MGMT_ERR.ENOTSUP,
                  f"{request_type.__name__} in version {version}: {answer!r}")

    async def document(self, request_type, first=None, **fields):
        data = b""
        while True:
            part = await self.ask(
                request_type(off=len(data), **fields, **(first or {} if not data else {})))
            check(part.off == len(data) and part.data, f"a part at {part.off}, not {len(data)}")
            data += part.data
            check(len(data) <= part.len, f"{len(data)} bytes of {part.len}")
            if not part.off and part.sha256 is not None:
                digest = part.sha256
            if len(data) == part.len:
                return (data, digest) if request_type is CredentialRead else data

    async def install(self, data, type, chunk, digest=None):
        """The offsets that the device expected, or the refusal of the last part."""
        digest = digest or hashlib.sha256(data).digest()
        offset = 0
        while offset < len(data):
            self.steps += 1
            fields = {"len": len(data), "sha256": digest} if not offset else {}
            answer = await self.client.request(
                CredentialWrite(kid=1, type=type, off=offset, data=data[offset:offset + chunk],
                                **fields), timeout_s=SECONDS)
            if not success(answer):
                return answer
            offset += len(data[offset:offset + chunk])
            check(answer.off == offset, f"the device expects {answer.off}, not {offset}")
        return None


async def os_group(board):
    for text in "", "hi", "ü水𐅑", "y" * 400:
        for version in Version.V1, Version.V2:
            answer = await board.ask(EchoWrite(d=text, version=version))
            check(answer.r == text, f"{text!r} came back as {answer.r!r}")
    parameters = await board.ask(MCUMgrParametersRead())
    check((parameters.buf_size, parameters.buf_count) == (512, 1), f"{parameters!r}")
    for request_type in DateTimeRead, Unknown, OtherGroup:
        await board.unsupported(request_type)


async def keys(board):
    first = await board.ask(KeyRead(kid=1))
    check(first.alg == -7 and first.pub[0] == 4 and len(first.pub) == 65 and not first.imported,
          f"{first!r}")
    await board.refused(KeyRead, DeviceError.NO_SUCH_KEY, kid=77)
    made = await board.ask(KeyWrite(kid=77, alg=-7))
    check(made.kid == 77 and made.pub != first.pub, f"{made!r}")
    await board.refused(KeyWrite, DeviceError.KEY_EXISTS, kid=77)
    replaced = await board.ask(KeyWrite(kid=77, replace=True))
    check(replaced.pub not in (first.pub, made.pub), "the replaced key is the old one")
    chosen = await board.ask(KeyWrite())
    check(chosen.kid not in (1, 77), f"the device chose {chosen.kid}")
    imported = await board.ask(KeyWrite(kid=78, value=PRIVATE))
    check(imported.imported and imported.pub == POINT, f"{imported!r}")
    await board.refused(KeyWrite, DeviceError.UNSUPPORTED, kid=79, alg=-8)
    await board.refused(KeyWrite, DeviceError.BAD_LENGTH_OR_OFFSET, kid=79, value=PRIVATE[1:])
    await board.refused(KeyWrite, DeviceError.CRYPTO_FAILED, kid=79, value=bytes(32))
    await board.refused(KeyWrite, DeviceError.CRYPTO_FAILED, kid=79, value=b"\xff" * 32)
    listed = await board.ask(Device())
    check(sorted(listed.keys) == sorted([1, 77, 78, chosen.kid]), f"keys {listed.keys}")
    for kid in 77, 78, chosen.kid:
        await board.ask(Erase(kid=kid))
        await board.refused(KeyRead, DeviceError.NO_SUCH_KEY, kid=kid)
    await board.refused(Erase, DeviceError.NO_SUCH_KEY, kid=77)
    check((await board.ask(Device())).keys == [1], "an erased key is listed")
    check((await board.ask(KeyRead(kid=1))).pub == first.pub, "key 1 has changed")
    return first


async def credentials(board, chunk):
    chain, token = os.urandom(1000), os.urandom(150)
    digest = hashlib.sha256(chain).digest()
    await board.refused(CredentialRead, DeviceError.NO_SUCH_KEY, kid=1, type=CHAIN, off=0)
    wrong = await board.ask(CredentialWrite(kid=1, type=CHAIN, off=100, data=chain[100:200]))
    check(wrong.off == 0, f"nothing was written, and the device expects {wrong.off}")
    check(await board.install(chain, CHAIN, chunk) is None, "the chain was refused")
    check(await board.install(token, TOKEN, 64) is None, "the token was refused")
    check(await board.document(CredentialRead, kid=1, type=CHAIN) == (chain, digest),
          "the chain was read back otherwise")
    answer = await board.install(token[::-1], TOKEN, chunk, digest=digest)
    check(error_v2(answer) and answer.err.rc == DeviceError.HASH_MISMATCH, f"{answer!r}")
    data, _ = await board.document(CredentialRead, kid=1, type=TOKEN)
    check(data == token, "a credential with another hash took the place of the old one")
    part = {"kid": 1, "type": TOKEN, "off": 0, "data": bytes(10), "sha256": digest}
    await board.refused(CredentialWrite, DeviceError.BAD_LENGTH_OR_OFFSET, **part, len=9)
    await board.refused(CredentialWrite, DeviceError.STORAGE_FULL, **part, len=2**32 - 1)
    await board.refused(CredentialWrite, DeviceError.MALFORMED, **part)
    await board.refused(CredentialWrite, DeviceError.NO_SUCH_KEY, **{**part, "kid": 5}, len=10)
    await board.refused(CredentialWrite, DeviceError.UNSUPPORTED, **{**part, "type": 4}, len=10)
    await board.refused(CredentialRead, DeviceError.UNSUPPORTED, kid=1, type=0, off=0)
    await board.refused(
        CredentialRead, DeviceError.BAD_LENGTH_OR_OFFSET, kid=1, type=TOKEN, off=151)


async def documents(board, folder, nonce):
    await board.refused(EvidenceRead, DeviceError.MALFORMED, kid=1, off=0)
    for length in 0, 7, 65:
        await board.refused(
            EvidenceRead, DeviceError.BAD_LENGTH_OR_OFFSET, kid=1, off=0, nonce=bytes(length))
    await board.refused(EvidenceRead, DeviceError.NO_SUCH_KEY, kid=5, off=0, nonce=nonce)
    await board.refused(CSRRead, DeviceError.NO_SUCH_KEY, kid=5, off=0)
    for name, request, first in (
            ("request.der", CSRRead, None), ("evidence.cbor", EvidenceRead, {"nonce": nonce})):
        with open(os.path.join(folder, name), "wb") as file:
            file.write(await board.document(request, first, kid=1))
    # The evidence took the CSR's place.
    await board.refused(CSRRead, DeviceError.BAD_LENGTH_OR_OFFSET, kid=1, off=1)


async def restart(board):
    await board.ask(ResetWrite())
    for _ in range(SECONDS):
        try:
            board.steps += 1
            await board.client.request(EchoWrite(d="again"), timeout_s=1)
            return
        except TimeoutError:
            pass
    check(False, "the board did not come back from its reset")


async def lock(board, chunk):
    token, _ = await board.document(CredentialRead, kid=1, type=TOKEN)
    await board.ask(Lock())
    await restart(board)
    check((await board.ask(Device())).locked, "the lock did not outlive a reset")
    answer = await board.install(token[::-1], TOKEN, chunk)
    check(error_v2(answer) and answer.err.rc == DeviceError.LOCKED, f"{answer!r}")
    await board.refused(KeyWrite, DeviceError.LOCKED, kid=1, replace=True)
    await board.refused(Erase, DeviceError.LOCKED, kid=1)
    check(await board.install(token, TOKEN, chunk) is None, "a repeat of what is stored is harmless")


class UDPTransport(SMPUDPTransport):
    async def connect(self, address, timeout_s):
        host, port = address.rsplit(":", 1)
        await super().connect(host, timeout_s, int(port))


def transport(port):
    """A path is a serial port; raw:PATH is one without framing, udp:HOST:PORT the network."""
    kind, _, address = port.partition(":")
    if kind == "udp":
        return UDPTransport(), address
    if kind == "raw":
        return SMPSerialRawTransport(), address
    return SMPSerialTransport(), port


async def main(port, folder):
    # The device answers with the parameters, and smpclient takes its message size from them.
    client = SMPClient(*transport(port), timeout_s=SECONDS)
    await client.connect()
    board = Board(client)
    description = await board.ask(Device())
    check(description.v == 1 and -7 in description.algs and not description.locked,
          f"{description!r}")
    check((await board.ask(Device(version=Version.V1))).id == description.id, "another ID")
    await os_group(board)
    key = await keys(board)
    await credentials(board, description.chunk)
    nonce = os.urandom(32)
    await documents(board, folder, nonce)
    await board.refused(Secret, DeviceError.UNSUPPORTED, slot=1, data=b"\xd0\x83")
    await restart(board)
    check((await board.ask(KeyRead(kid=1))).pub == key.pub, "the key did not outlive a reset")
    await lock(board, description.chunk)
    await client.disconnect()
    print(json.dumps({
        "board": description.board, "device": description.id.hex(), "publicKey": key.pub.hex(),
        "nonce": nonce.hex(), "requests": board.steps}))


if __name__ == "__main__":
    check(len(sys.argv) == 3, __doc__)
    logging.disable(logging.WARNING)  # it is told of every answer in version 1
    asyncio.run(main(*sys.argv[1:]))
