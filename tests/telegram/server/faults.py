"""What goes wrong, because a test wants it to."""

from dataclasses import dataclass

from tests.telegram.server.accounts import Account
from tests.telegram.server.room import Room

SILENCE = "silence"
CUT = "cut"
FIVE = (
    *("PERSISTENT_TIMESTAMP_OUTDATED", "HISTORY_GET_FAILED", "INTERNAL_SERVER_ERROR", "RPC_CALL_FAIL"),
    "RPC_MCGET_FAIL",
)
DEAD = (
    "AUTH_KEY_UNREGISTERED",
    "SESSION_REVOKED",
    "SESSION_EXPIRED",
    "USER_DEACTIVATED",
    "USER_DEACTIVATED_BAN",
)
NOT_LOGGED_IN = (*DEAD, "SESSION_PASSWORD_NEEDED")


class Refusal(Exception):
    """An error of the API's."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong once.

    Attributes:
        name: of the request, `GetHistory`.
        error: what it gets; `SILENCE` and `CUT` are none of Telegram's.
        room: only if it is about this channel.
        account: only if it is of this account.
    """

    name: str
    error: str
    room: Room | None = None
    account: Account | None = None


class Faults:
    """All that is still to go wrong, first come first served."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []

    def add(self, fault: Fault, times: int) -> None:
        self._waiting += [fault] * times

    def clear(self) -> None:
        self._waiting.clear()

    def take(self, name: str, room: Room | None, account: Account) -> str | None:
        """Give what this request gets instead of its answer."""
        for fault in self._waiting:
            if fault.name in (name, "*") and fault.room in (None, room) and fault.account in (None, account):
                self._waiting.remove(fault)
                return fault.error
        return None


def short(name: str) -> str:
    """Give `GetHistory` for `messages.getHistory` and for itself."""
    last = name.rpartition(".")[2]
    return last[:1].upper() + last[1:]


def code_of(error: str) -> int:
    """Give the number that Telegram sends with an error."""
    if error.startswith(("FLOOD_", "SLOWMODE_WAIT")):
        return 420
    if error in FIVE:
        return 500
    if error.startswith(("PHONE_MIGRATE", "USER_MIGRATE", "NETWORK_MIGRATE")):
        return 303
    if error in NOT_LOGGED_IN:
        return 401
    return 406 if error == "AUTH_KEY_DUPLICATED" else 400
