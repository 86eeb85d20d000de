"""Group 8392, the device contract, for PyPI's smp and smpclient.

Answers with any key that is not here are refused: pydantic's models forbid extra fields.
"""

from enum import IntEnum

from smp import error, message

GROUP = 8392


class DeviceError(IntEnum):
    MALFORMED = 1
    NO_SUCH_KEY = 2
    KEY_EXISTS = 3
    LOCKED = 4
    BAD_LENGTH_OR_OFFSET = 5
    HASH_MISMATCH = 6
    CRYPTO_FAILED = 7
    NO_ENTROPY = 8
    STORAGE_FULL = 9
    UNSUPPORTED = 10


class ErrorV1(error.ErrorV1):
    _GROUP_ID = GROUP


class ErrorV2(error.ErrorV2[DeviceError]):
    _GROUP_ID = GROUP


class _Group:
    _GROUP_ID = GROUP
    _ErrorV1 = ErrorV1
    _ErrorV2 = ErrorV2


class DeviceResponse(message.ReadResponse):
    _GROUP_ID = GROUP
    _COMMAND_ID = 0
    v: int
    id: bytes
    board: str
    fw: str
    algs: list[int]
    keys: list[int]
    chunk: int
    locked: bool


class Device(_Group, message.ReadRequest):
    _COMMAND_ID = 0
    _Response = DeviceResponse


class _Key:
    _GROUP_ID = GROUP
    _COMMAND_ID = 1


class KeyReadResponse(_Key, message.ReadResponse):
    kid: int
    alg: int
    pub: bytes
    imported: bool


class KeyWriteResponse(_Key, message.WriteResponse):
    kid: int
    alg: int
    pub: bytes
    imported: bool


class KeyRead(_Group, message.ReadRequest):
    _COMMAND_ID = 1
    _Response = KeyReadResponse
    kid: int


class KeyWrite(_Group, message.WriteRequest):
    _COMMAND_ID = 1
    _Response = KeyWriteResponse
    kid: int | None = None
    alg: int | None = None
    value: bytes | None = None
    replace: bool | None = None


def _empty(command):
    class Empty(message.WriteResponse):
        _GROUP_ID = GROUP
        _COMMAND_ID = command

    return Empty


class Erase(_Group, message.WriteRequest):
    _COMMAND_ID = 2
    _Response = _empty(2)
    kid: int


def _part(command):
    class Part(message.ReadResponse):
        _GROUP_ID = GROUP
        _COMMAND_ID = command
        off: int
        len: int
        data: bytes
        sha256: bytes | None = None

    return Part


class EvidenceRead(_Group, message.ReadRequest):
    _COMMAND_ID = 3
    _Response = _part(3)
    kid: int
    off: int
    nonce: bytes | None = None


class CSRRead(_Group, message.ReadRequest):
    _COMMAND_ID = 4
    _Response = _part(4)
    kid: int
    off: int


class CredentialRead(_Group, message.ReadRequest):
    _COMMAND_ID = 5
    _Response = _part(5)
    kid: int
    type: int
    off: int


class CredentialWriteResponse(message.WriteResponse):
    _GROUP_ID = GROUP
    _COMMAND_ID = 5
    off: int


class CredentialWrite(_Group, message.WriteRequest):
    _COMMAND_ID = 5
    _Response = CredentialWriteResponse
    kid: int
    type: int
    off: int
    data: bytes
    len: int | None = None
    sha256: bytes | None = None


class Lock(_Group, message.WriteRequest):
    _COMMAND_ID = 6
    _Response = _empty(6)


class Secret(_Group, message.WriteRequest):
    _COMMAND_ID = 7
    _Response = _empty(7)
    slot: int
    data: bytes


class Unknown(_Group, message.ReadRequest):
    """A command that the contract does not have."""
    _COMMAND_ID = 99
    _Response = _empty(99)


class OtherGroupErrorV1(error.ErrorV1):
    _GROUP_ID = 66


class _OtherGroup:
    _GROUP_ID = 66
    _ErrorV1 = OtherGroupErrorV1
    _ErrorV2 = ErrorV2


class OtherGroup(_OtherGroup, message.ReadRequest):
    """A group that the device does not have."""
    _COMMAND_ID = 1
    _Response = _empty(1)
