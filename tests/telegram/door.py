"""Where accounts log in: codes, QR codes and passwords, which are checked as Telegram does."""

import os
from datetime import UTC, datetime, timedelta
from typing import Any

from telethon import password
from telethon.tl import types

from tests.telegram.desk import Household
from tests.telegram.server.faults import Refusal

# The prime that Telegram uses; telethon knows that it is a good one.
PRIME = bytes.fromhex(
    "C71CAEB9C6B1C9048E6C522F70F13F73980D40238E3E21C14934D037563D930F48198A0AA7C14058229493D22530F4DBFA336F6E"
    "0AC925139543AED44CCE7C3720FD51F69458705AC68CD4FE6B6B13ABDC9746512969328454F18FAF8C595F642477FE96BB2A941D"
    "5BCD1D4AC8CC49880708FA9B378E3C4F3A9060BEE67CF9A4A4A695811051907E162753B56B0F6B410DBA74D8A84B2A14B3144E0E"
    "F1284754FD17ED950D5965B4B9DD46582DB1178D169C6BC465B0D6FF9CA3928FEF5B9AE4E418FC15E83EBEA0F87FA9FF5EED7005"
    "0DED2849F47BF959D956850CE929851F0D8115F635B105EE2E4E15D04B2454BF6F4FADF034B10403119CD8E3B92FCC5B"
)
ALGO = types.PasswordKdfAlgoSHA256SHA256PBKDF2HMACSHA512iter100000SHA256ModPow(
    salt1=b"first salt", salt2=b"second salt", g=3, p=PRIME
)


class Door(Household):
    """Nobody is logged in yet.

    Attributes:
        code: that is sent.
        secret: the account's password; none if it has none.
        codes: so many were sent.
        scanned: the QR code was scanned.
        seconds: that a QR code is good for.
    """

    code = "12345"
    secret: str | None = None

    def __init__(self) -> None:
        super().__init__()
        self.inside = False
        self.codes = 0
        self.scanned = False
        self.seconds = 30.0
        self._b = int.from_bytes(os.urandom(256))

    def scan(self) -> None:
        """Let somebody scan the QR code."""
        self.scanned = True
        for link in self._links:
            link.send(bytes(types.UpdateShort(types.UpdateLoginToken(), datetime.now(UTC))), answer=False)

    def _answer(self, name: str, request: Any) -> Any:
        at_the_door = {
            "SendCode": self._send_code,
            "SignIn": self._sign_in,
            "GetPassword": self._password,
            "CheckPassword": self._check,
            "ExportLoginToken": self._token,
        }
        if name not in at_the_door:
            return super()._answer(name, request)
        if error := self._faults.take(name, None, self._asking):
            raise Refusal(error)
        return at_the_door[name](request)

    def _send_code(self, request: Any) -> Any:
        if not request.phone_number.startswith("49"):
            raise Refusal("PHONE_NUMBER_INVALID")
        self.codes += 1
        return types.auth.SentCode(types.auth.SentCodeTypeApp(5), f"hash {self.codes}")

    def _sign_in(self, request: Any) -> Any:
        if request.phone_code != self.code:
            raise Refusal("PHONE_CODE_INVALID")
        return self._enter()

    def _enter(self) -> Any:
        if self.secret is not None:
            raise Refusal("SESSION_PASSWORD_NEEDED")
        self.inside = True
        self._asking.dead, self._asking.user = None, self.user
        return types.auth.Authorization(types.User(self.user, is_self=True, access_hash=1, first_name="Desk"))

    def _token(self, _request: Any) -> Any:
        if self.scanned:
            return types.auth.LoginTokenSuccess(self._enter())
        return types.auth.LoginToken(datetime.now(UTC) + timedelta(seconds=self.seconds), os.urandom(16))

    def _numbers(self) -> tuple[int, int, int, int]:
        p = int.from_bytes(PRIME)
        k = int.from_bytes(password.sha256(PRIME, password.num_bytes_for_hash(b"\x03")))
        v = pow(3, int.from_bytes(password.compute_hash(ALGO, self.secret)), p)
        return p, k, v, (k * v + pow(3, self._b, p)) % p

    def _password(self, _request: Any) -> Any:
        return types.account.Password(
            new_algo=ALGO,
            new_secure_algo=types.SecurePasswordKdfAlgoUnknown(),
            secure_random=b"",
            has_password=True,
            current_algo=ALGO,
            srp_B=password.big_num_for_hash(self._numbers()[3]),
            srp_id=1,
            hint="the usual one",
        )

    def _check(self, request: Any) -> Any:
        p, _, v, b_public = self._numbers()
        a, b = request.password.A, password.big_num_for_hash(b_public)
        u = int.from_bytes(password.sha256(a, b))
        shared = password.sha256(password.big_num_for_hash(pow(int.from_bytes(a) * pow(v, u, p), self._b, p)))
        generator = password.sha256(password.num_bytes_for_hash(b"\x03"))
        mixed = password.xor(password.sha256(PRIME), generator)
        salts = (password.sha256(ALGO.salt1), password.sha256(ALGO.salt2))
        if password.sha256(mixed, *salts, a, b, shared) != request.password.M1:
            raise Refusal("PASSWORD_HASH_INVALID")
        self.secret = None
        return self._enter()
