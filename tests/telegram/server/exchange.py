"""How a client and the server come to a key of their own (core.telegram.org/mtproto/auth_key)."""

import os
from collections.abc import Callable
from hashlib import sha1
from typing import Any

import rsa
from telethon import helpers
from telethon.crypto import AES, AuthKey
from telethon.crypto import rsa as trusted
from telethon.extensions import BinaryReader
from telethon.tl import functions, types

# The group that Telegram itself uses, for keys as for passwords.
PRIME = int(
    "c71caeb9c6b1c9048e6c522f70f13f73980d40238e3e21c14934d037563d930f48198a0aa7c14058229493d2"
    "2530f4dbfa336f6e0ac925139543aed44cce7c3720fd51f69458705ac68cd4fe6b6b13abdc97465129693284"
    "54f18faf8c595f642477fe96bb2a941d5bcd1d4ac8cc49880708fa9b378e3c4f3a9060bee67cf9a4a4a69581"
    "1051907e162753b56b0f6b410dba74d8a84b2a14b3144e0ef1284754fd17ed950d5965b4b9dd46582db1178d"
    "169c6bc465b0d6ff9ca3928fef5b9ae4e418fc15e83ebea0f87fa9ff5eed70050ded2849f47bf959d956850c"
    "e929851f0d8115f635b105ee2e4e15d04b2454bf6f4fadf034b10403119cd8e3b92fcc5b",
    16,
)
GENERATOR = 3
# The server's own RSA key. It protects nothing.
P = int(
    "ae3c465f61d9e1e3defe2bf47fe5e89688f634095b7e69bb88a6fb8dd369a1ceae96c4f0f99e3b72f4ad0b43"
    "a5414ee5c4c8bde23b5d98905a1e5e9c86e7e0afbd7bf0faa5fead032e5fdfee9be62099a2e73b4c73b24154"
    "bbf68e195a7015257783c1dc2c57769ece885fc525b453f5f7e5ca4af356ff011b5ee452ce95c09de5628059"
    "6d6280ff",
    16,
)
Q = int(
    "c338b679c7e8a388e5c95ac9d4de94b69a6a2f6f78fccc4289e07d20f5c6dec39f6a4578b22972f8c98a692a"
    "6f9e7062b1e0b020a937259bfb737c5f4ae50ad03205e173424a0d18cb45eaf0d7551e89941d546b81989132"
    "ffe889365024511126ea15afc8b440ed655090682853bf8a387d5f2dd92d036d",
    16,
)
EXPONENT = 65537
FACTORS = (1229739323, 1402015859)


def trust() -> int:
    """Let telethon trust the server's RSA key; give its fingerprint."""
    key = rsa.PublicKey(P * Q, EXPONENT)
    trusted.add_key(key.save_pkcs1(), old=False)
    fingerprint: int = trusted._compute_fingerprint(key)
    return fingerprint


def number(data: bytes) -> int:
    """Read a number as the exchange writes them."""
    return int.from_bytes(data, "big")


class Exchange:
    """One exchange, step by step.

    Attributes:
        key: what came of it, at its end.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._server_nonce = int.from_bytes(os.urandom(16), "big", signed=True)
        self._new_nonce = 0
        self._secret = number(os.urandom(256))
        self._cipher: tuple[bytes, bytes] = (b"", b"")
        self.key: AuthKey | None = None

    def answer(self, request: Any) -> Any:
        """Answer the client's next step."""
        if isinstance(request, functions.ReqDHParamsRequest):
            return self._offer(request)
        if isinstance(request, functions.SetClientDHParamsRequest):
            return self._agree(request)
        assert isinstance(request, functions.ReqPqMultiRequest), f"no step of an exchange: {request}"
        product = trusted.get_byte_array(FACTORS[0] * FACTORS[1])
        return types.ResPQ(request.nonce, self._server_nonce, product, [trust()])

    def _offer(self, request: Any) -> Any:
        secret = pow(EXPONENT, -1, (P - 1) * (Q - 1))
        plain = pow(number(request.encrypted_data), secret, P * Q).to_bytes(255, "big")
        inner = BinaryReader(plain[20:]).tgread_object()
        self._new_nonce = inner.new_nonce
        self._cipher = helpers.generate_key_data_from_nonce(self._server_nonce, self._new_nonce)
        offer = bytes(
            types.ServerDHInnerData(
                request.nonce,
                self._server_nonce,
                GENERATOR,
                trusted.get_byte_array(PRIME),
                trusted.get_byte_array(pow(GENERATOR, self._secret, PRIME)),
                int(self._clock()),
            )
        )
        plain = sha1(offer).digest() + offer
        plain += os.urandom(-len(plain) % 16)
        sealed = AES.encrypt_ige(plain, *self._cipher)
        return types.ServerDHParamsOk(request.nonce, self._server_nonce, sealed)

    def _agree(self, request: Any) -> Any:
        plain = AES.decrypt_ige(request.encrypted_data, *self._cipher)
        inner = BinaryReader(plain[20:]).tgread_object()
        shared = pow(number(inner.g_b), self._secret, PRIME)
        self.key = AuthKey(trusted.get_byte_array(shared))
        check = self.key.calc_new_nonce_hash(self._new_nonce, 1)
        return types.DhGenOk(request.nonce, self._server_nonce, check)
