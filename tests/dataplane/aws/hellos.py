"""TLS hellos: real ones from Python's own ssl client, and the same rewritten where no client would send them so."""

import ssl
from collections.abc import Sequence
from functools import lru_cache
from typing import Literal, NamedTuple

SERVER_NAME, SUPPORTED_GROUPS, PADDING, KEY_SHARE = 0, 10, 21, 51
"""Extension numbers, RFC 6066, 8446 and 7685."""

X25519MLKEM768, POST_QUANTUM_SHARE = 0x11EC, 1216
"""The hybrid group that browsers and Go offer by default, and the bytes of its client share
(draft-kwiatkowski-tls-ecdhe-mlkem): what makes a hello longer than one packet."""

_CHANGE_CIPHER_SPEC = bytes.fromhex("140303000101")
_AES_128_GCM, _X25519, _TLS_1_3 = b"\x13\x01", b"\x00\x1d", b"\x03\x04"


class Extension(NamedTuple):
    kind: int
    body: bytes

    def __bytes__(self) -> bytes:
        return self.kind.to_bytes(2) + _sized(self.body)


def client_hello(name: str | None, *, version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3) -> bytes:
    """The first record that Python's client sends to `name`. None: a hello without SNI."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.maximum_version = version
    outgoing = ssl.MemoryBIO()
    client = context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname=name)
    try:
        client.do_handshake()
    except ssl.SSLWantReadError:
        return outgoing.read()
    raise AssertionError("a handshake cannot end without a server")


def forged_hello(
    names: Sequence[str] = (),
    *,
    post_quantum: bool = False,
    sni: Literal["first", "last"] = "first",
    records: int = 1,
) -> bytes:
    """A real hello rewritten: any text or several as server names, the share of a post-quantum group, SNI as first or
    last extension, the message cut over several records."""
    head, extensions = _parsed(client_hello(None))
    extensions = [each for each in extensions if each.kind != PADDING]
    if post_quantum:
        extensions = [_with_post_quantum(each) for each in extensions]
    if names:
        entries = b"".join(b"\0" + _sized(name.encode()) for name in names)
        extensions.insert(0 if sni == "first" else len(extensions), Extension(SERVER_NAME, _sized(entries)))
    body = head + _sized(b"".join(map(bytes, extensions)))
    message = b"\x01" + len(body).to_bytes(3) + body
    cut = -(-len(message) // records)
    return b"".join(_record(22, message[at : at + cut]) for at in range(0, len(message), cut))


@lru_cache(maxsize=1)
def server_hello() -> bytes:
    """What a TLS 1.3 server answers: its hello, and the first encrypted records."""
    extensions = bytes(Extension(43, _TLS_1_3)) + bytes(Extension(KEY_SHARE, _X25519 + _sized(b"\x5a" * 32)))
    body = b"\x03\x03" + b"\xa5" * 32 + b"\x00" + _AES_128_GCM + b"\x00" + _sized(extensions)
    return _record(22, b"\x02" + len(body).to_bytes(3) + body) + _CHANGE_CIPHER_SPEC + application_data(700)


def application_data(size: int) -> bytes:
    """An encrypted record, as far as anybody between the ends can tell."""
    return _record(23, b"\x7b" * size)


def client_finished() -> bytes:
    """What a client sends when it took the server's hello, and the first encrypted request after it."""
    return _CHANGE_CIPHER_SPEC + application_data(53) + application_data(200)


def _parsed(hello: bytes) -> tuple[bytes, list[Extension]]:
    """What stands before the extensions, and they. Layout: RFC 8446, 4.1.2, after 5 bytes of record and 4 of message."""
    at = 9 + 2 + 32
    at += 1 + hello[at]
    at += 2 + int.from_bytes(hello[at : at + 2])
    at += 1 + hello[at]
    head, at, extensions = hello[9:at], at + 2, []
    while at < len(hello):
        kind, size = int.from_bytes(hello[at : at + 2]), int.from_bytes(hello[at + 2 : at + 4])
        extensions.append(Extension(kind, hello[at + 4 : at + 4 + size]))
        at += 4 + size
    return head, extensions


def _with_post_quantum(each: Extension) -> Extension:
    group = X25519MLKEM768.to_bytes(2)
    if each.kind == SUPPORTED_GROUPS:
        return Extension(each.kind, _sized(group + each.body[2:]))
    if each.kind == KEY_SHARE:
        return Extension(each.kind, _sized(group + _sized(b"\xc3" * POST_QUANTUM_SHARE) + each.body[2:]))
    return each


def _sized(body: bytes) -> bytes:
    return len(body).to_bytes(2) + body


def _record(kind: int, body: bytes) -> bytes:
    return bytes([kind]) + b"\x03\x03" + _sized(body)
