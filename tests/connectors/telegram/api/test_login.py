"""Logging in at a small Telegram: with a code, a QR code and a password, and everything that goes wrong."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable

import pytest
from pydantic import SecretStr
from telethon.sessions import StringSession

from connectors.telegram.api.login import LoginProblem, log_in
from connectors.telegram.api.session import Login
from connectors.telegram.host import TelegramHost
from tests.telegram.door import Door

HOST = TelegramHost(api_id=1, api_hash=SecretStr("hash"))


class Person:
    """Answers what it is asked, in this order."""

    def __init__(self, *, codes: tuple[str, ...] = (), passwords: tuple[str, ...] = ()) -> None:
        self.number = "+49 30 123456"
        self.codes, self.passwords = deque(codes), deque(passwords)
        self.told: list[str] = []
        self.shown: list[str] = []
        self.on_show: Callable[[], None] = lambda: None

    def phone(self) -> str:
        return self.number

    def code(self, where: str) -> str:
        self.told.append(where)
        return self.codes.popleft()

    def password(self, hint: str) -> str:
        self.told.append(hint)
        return self.passwords.popleft()

    def show(self, url: str) -> None:
        self.shown.append(url)
        self.on_show()

    def tell(self, text: str) -> None:
        self.told.append(text)


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    async with Door() as made:
        yield made


async def enter(door: Door, person: Person, *, qr: bool = False) -> Login:
    new, blank = StringSession(), door.blank()
    new.set_dc(blank.dc_id, blank.server_address, blank.port)
    return await log_in(HOST, person, qr=qr, start=new)


def scan_soon(door: Door) -> None:
    asyncio.get_running_loop().call_later(0.05, door.scan)


async def test_a_code(door: Door) -> None:
    login = await enter(door, person := Person(codes=(" 12345",)))
    assert (login.user, login.dc, login.host, login.port) == (777, 2, "127.0.0.1", door.port)
    assert login.key == door.accounts[-1].key.key
    assert person.told == ["in your other Telegram apps, from the account Telegram"]
    assert not door._links


async def test_a_wrong_code_is_asked_for_again(door: Door) -> None:
    await enter(door, person := Person(codes=("1", "12345")))
    assert "That is not the code." in person.told
    assert door.codes == 1


async def test_an_expired_code_is_sent_again(door: Door) -> None:
    door.refuse("SignIn", "PHONE_CODE_EXPIRED")
    await enter(door, person := Person(codes=("12345", "12345")))
    assert "The code has expired; another one is sent." in person.told
    assert door.codes == 2


async def test_wrong_codes_end_it(door: Door) -> None:
    with pytest.raises(LoginProblem, match="3 times a wrong code"):
        await enter(door, Person(codes=("1", "2", "3", "12345")))
    assert not door.inside


async def test_the_password_is_asked_for(door: Door) -> None:
    door.secret = "correct horse"
    login = await enter(door, person := Person(codes=("12345",), passwords=("battery", "correct horse")))
    assert login.user == 777
    assert person.told[1:] == ["the usual one", "That is not the password.", "the usual one"]


async def test_wrong_passwords_end_it(door: Door) -> None:
    door.secret = "correct horse"
    with pytest.raises(LoginProblem, match="3 times a wrong password") as caught:
        await enter(door, Person(codes=("12345",), passwords=("a", "b", "hunter2")))
    assert "hunter2" not in str(caught.value)


async def test_a_qr_code_that_is_scanned(door: Door) -> None:
    person = Person()
    person.on_show = lambda: scan_soon(door)
    assert (await enter(door, person, qr=True)).user == 777
    assert person.shown[0].startswith("tg://login?token=")


async def test_a_qr_code_and_a_password(door: Door) -> None:
    door.secret = "correct horse"
    person = Person(passwords=("correct horse",))
    person.on_show = lambda: scan_soon(door)
    assert (await enter(door, person, qr=True)).user == 777


async def test_qr_codes_that_nobody_scans(door: Door) -> None:
    door.seconds = -1  # it has expired when it is shown
    with pytest.raises(LoginProblem, match="nobody scanned"):
        await enter(door, person := Person(), qr=True)
    assert len(set(person.shown)) == 10


@pytest.mark.parametrize(
    ("request_", "error", "words"),
    [
        ("SendCode", "FLOOD_WAIT_7200", "try again in 2:00:00"),
        ("SendCode", "PHONE_NUMBER_BANNED", "has banned this number"),
        ("SendCode", "API_ID_INVALID", "no pair"),
        ("SendCode", "SOMETHING_NEW", "Telegram says: SOMETHING_NEW"),
        ("SignIn", "FLOOD_WAIT_60", "try again in 0:01:00"),
        ("SignIn", "PHONE_NUMBER_UNOCCUPIED", "has no account"),
    ],
)
async def test_what_telegram_refuses(door: Door, request_: str, error: str, words: str) -> None:
    door.refuse(request_, error)
    with pytest.raises(LoginProblem, match=words):
        await enter(door, Person(codes=("12345",)))


async def test_a_number_without_its_country(door: Door) -> None:
    person = Person()
    person.number = "030 123456"
    with pytest.raises(LoginProblem, match="with its country"):
        await enter(door, person)


async def test_no_server(door: Door) -> None:
    await door.__aexit__()
    with pytest.raises(LoginProblem, match="no connection to Telegram"):
        await enter(door, Person())


async def test_a_config_without_the_programs_key() -> None:
    with pytest.raises(LoginProblem, match=r"api_id and telegram\.api_hash are missing"):
        await log_in(TelegramHost(), Person())
