"""A scripted modem on a pty, for nrfcloud-utils: it makes a key, signs a request, stores what it is given.

    modem.py FILE       writes the path of the pty into FILE, and answers until it is ended

The AT commands are those of Nordic's nRF91 modem firmware that device_credentials_installer sends:
%KEYGEN (key and PKCS#10 request) and %CMNG (0 write, 1 list, 3 delete). It answers at once.
"""

import base64
import hashlib
import os
import re
import sys
import tty

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

stored = {}


def make_key(tag, subject):
    key = ec.generate_private_key(ec.SECP256R1())
    request = (
        x509.CertificateSigningRequestBuilder()
        .subject_name(x509.Name.from_rfc4514_string(subject or "CN=modem"))
        .sign(key, hashes.SHA256())
        .public_bytes(serialization.Encoding.DER)
    )
    stored[tag, "2"] = key.private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return '%%KEYGEN: "%s."' % base64.urlsafe_b64encode(request).rstrip(b"=").decode()


def answer(command):
    if command == "AT+CGSN":
        return ["352656100000001", "OK"]
    if command == "AT+CGMR":
        return ["mfw_nrf91x1_2.0.1", "OK"]
    if command.startswith(("AT+CFUN=", "AT+CMEE=")):
        return ["OK"]
    if match := re.fullmatch(r'AT%KEYGEN=(\d+),2,0(?:,"(.*)")?', command):
        return [make_key(*match.groups()), "OK"]
    if match := re.fullmatch(r'AT%CMNG=0,(\d+),(\d+),"(.*)"', command, re.DOTALL):
        tag, kind, content = match.groups()
        stored[tag, kind] = content.encode()
        return ["OK"]
    if match := re.fullmatch(r"AT%CMNG=1,(\d+),(\d+)", command):
        if match.groups() not in stored:
            return ["OK"]
        digest = hashlib.sha256(stored[match.groups()]).hexdigest().upper()
        return ['%%CMNG: %s,%s,"%s"' % (*match.groups(), digest), "OK"]
    if match := re.fullmatch(r"AT%CMNG=3,(\d+),(\d+)", command):
        return ["OK" if stored.pop(match.groups(), None) else "ERROR"]
    return ["ERROR"]


def take_command(received):
    """The first whole command and what is behind it. A quoted PEM runs over several lines."""
    end = received.find(b"\r\n")
    while end >= 0 and received[:end].count(b'"') % 2:
        end = received.find(b"\r\n", end + 2)
    if end < 0:
        return None, received
    return received[:end].decode().strip(), received[end + 2 :]


def main():
    modem, user = os.openpty()
    tty.setraw(user)
    with open(sys.argv[1] + ".new", "w") as file:
        file.write(os.ttyname(user))
    os.rename(sys.argv[1] + ".new", sys.argv[1])
    received = b""
    while True:
        received += os.read(modem, 65536)
        command, received = take_command(received)
        while command is not None:
            if command:
                lines = answer(command)
                os.write(modem, "".join("\r\n%s\r\n" % line for line in lines).encode())
            command, received = take_command(received)


main()
