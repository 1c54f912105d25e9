"""Logging an account in, on this machine: by a code that Telegram sends or by a QR code, and its password."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, Protocol, TypeVar

from telethon import TelegramClient, errors, functions
from telethon.sessions import StringSession

from connectors.telegram.api.failures import said
from connectors.telegram.api.session import Login, login_of
from connectors.telegram.host import TelegramHost

TRIES = 3
"""A code or a password may be mistyped so often; more, and Telegram bars the account for a day."""
CODES = 10
"""QR codes that are shown, one after another; each is good for half a minute."""
CONNECT_SECONDS = 60.0
_T = TypeVar("_T")


class LoginProblem(Exception):
    """The account could not be logged in; the message says why, and what to do."""


class Talk(Protocol):
    """How the person who logs in is asked. What it does may block."""

    def phone(self) -> str:
        """Ask for the phone number."""
        ...

    def code(self, where: str) -> str:
        """Ask for the code that Telegram has sent."""
        ...

    def password(self, hint: str) -> str:
        """Ask for the password of the account, without showing it."""
        ...

    def show(self, url: str) -> None:
        """Show a QR code that is to be scanned."""
        ...

    def tell(self, text: str) -> None:
        """Say something."""
        ...


async def log_in(
    host: TelegramHost, talk: Talk, *, qr: bool = False, start: StringSession | None = None
) -> Login:
    """Log an account in; what is to be kept of it is returned and stands nowhere else.

    Args:
        host: the program's number and key.
        talk: to the person whose account it is.
        qr: by a QR code; otherwise by phone number and code.
        start: a session to begin with, not logged in; none: a new one, with Telegram's own servers.

    Raises:
        LoginProblem: it failed.
    """
    session = start or StringSession()
    async with _connected(host, session) as client:
        user = await (_by_qr(client, talk) if qr else _by_phone(client, talk))
        return login_of(session, user.id)


@asynccontextmanager
async def _connected(host: TelegramHost, session: StringSession) -> AsyncIterator[TelegramClient]:
    secret = host.api_hash
    if not host.api_id or not secret:
        raise LoginProblem(
            "telegram.api_id and telegram.api_hash are missing in the config: get both at "
            "https://my.telegram.org/apps"
        )
    silent = logging.getLogger("connectors.telegram.login")
    silent.propagate = False  # what goes wrong is raised; the rest is of no use to the person
    silent.addHandler(nothing := logging.NullHandler())
    client = TelegramClient(
        session,
        host.api_id,
        secret.get_secret_value(),
        connection_retries=2,
        request_retries=1,
        flood_sleep_threshold=0,
        raise_last_call_error=True,
        base_logger=silent,
    )
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            await _asked(client.connect())
        yield client
    except TimeoutError:
        raise LoginProblem("Telegram does not answer; is there a way to it from this machine?") from None
    finally:
        await client.disconnect()
        silent.removeHandler(nothing)


async def _by_phone(client: TelegramClient, talk: Talk) -> Any:
    phone = await asyncio.to_thread(talk.phone)
    sent = await _asked(client.send_code_request(phone))
    for _ in range(TRIES):
        code = await asyncio.to_thread(talk.code, _where(sent))
        try:
            return await client.sign_in(phone, code.strip())
        except errors.SessionPasswordNeededError:
            return await _by_password(client, talk)
        except (errors.PhoneCodeInvalidError, errors.PhoneCodeEmptyError):
            talk.tell("That is not the code.")
        except errors.PhoneCodeExpiredError:
            talk.tell("The code has expired; another one is sent.")
            sent = await _asked(client.send_code_request(phone))
        except (errors.RPCError, OSError, ValueError, RuntimeError) as problem:
            raise _told(problem) from problem
    raise LoginProblem(f"{TRIES} times a wrong code; wait a while, then try again")


async def _by_qr(client: TelegramClient, talk: Talk) -> Any:
    qr = await _asked(client.qr_login())
    for _ in range(CODES):
        talk.show(qr.url)
        try:
            return await qr.wait()
        except errors.SessionPasswordNeededError:
            return await _by_password(client, talk)
        except TimeoutError:
            try:
                await qr.recreate()
            except errors.SessionPasswordNeededError:  # it was scanned at the last moment
                return await _by_password(client, talk)
        except (errors.RPCError, OSError, ValueError, TypeError) as problem:
            raise _told(problem) from problem
    raise LoginProblem("nobody scanned a code; try again when the phone is at hand")


async def _by_password(client: TelegramClient, talk: Talk) -> Any:
    hint = (await _asked(client(functions.account.GetPasswordRequest()))).hint or ""
    for _ in range(TRIES):
        password = await asyncio.to_thread(talk.password, hint)
        try:
            return await client.sign_in(password=password)
        except errors.PasswordHashInvalidError:
            talk.tell("That is not the password.")
        except (errors.RPCError, OSError, ValueError) as problem:
            raise _told(problem) from problem
    raise LoginProblem(f"{TRIES} times a wrong password; wait a while, then try again")


async def _asked(asking: Awaitable[_T]) -> _T:
    """Wait for an answer.

    Raises:
        LoginProblem: there is none, or it says no.
    """
    try:
        return await asking
    except (errors.RPCError, OSError, ValueError, RuntimeError) as problem:
        raise _told(problem) from problem


def _where(sent: Any) -> str:
    """Say where Telegram has sent the code."""
    kind = type(getattr(sent, "type", None)).__name__.removeprefix("SentCodeType")
    return {
        "App": "in your other Telegram apps, from the account Telegram",
        "Sms": "by SMS",
        "Call": "by a phone call",
        "EmailCode": "by e-mail",
    }.get(kind, "by Telegram")


_MEANT: tuple[tuple[type[Exception], Callable[[Any], str]], ...] = (
    (
        errors.ApiIdInvalidError,
        lambda _: "api_id and api_hash are no pair; compare https://my.telegram.org/apps",
    ),
    (
        errors.PhoneNumberInvalidError,
        lambda _: "that is no phone number; write it with its country: +49 30 123",
    ),
    (errors.PhoneNumberBannedError, lambda _: "Telegram has banned this number"),
    (
        errors.PhoneNumberUnoccupiedError,
        lambda _: "this number has no account; make one in a Telegram app first",
    ),
    (errors.PhoneNumberFloodError, lambda _: "too many codes were asked for; try again tomorrow"),
    (errors.PhonePasswordFloodError, lambda _: "too many attempts; try again tomorrow"),
    (
        errors.FloodError,
        lambda problem: (
            f"too many attempts; try again in {timedelta(seconds=getattr(problem, 'seconds', 0))}"
        ),
    ),
    (ConnectionError, lambda _: "no connection to Telegram; is there a way to it from this machine?"),
)


def _told(problem: Exception) -> LoginProblem:
    for kind, words in _MEANT:
        if isinstance(problem, kind):
            return LoginProblem(words(problem))
    return LoginProblem(f"Telegram says: {said(problem)}")
