"""What an account lends to those who follow channels: requests in their turn, pushes, and names resolved."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

from telethon.tl.tlobject import TLObject, TLRequest

from connectors.seam import SourceFailed


class Flooded(SourceFailed):
    """FLOOD_WAIT: this request must wait so many seconds; others go on."""

    def __init__(self, message: str, seconds: float) -> None:
        super().__init__(message, retry_after=seconds)
        self.seconds = seconds


class Barred(SourceFailed):
    """This channel is not shown to us: private, no such name, no such channel."""


class AccountLost(SourceFailed):
    """The account's session is dead; nothing can be asked with it."""


class Unanswered(SourceFailed):
    """No answer in time: a deadline, an error of the server's, no connection."""


@dataclass(frozen=True, slots=True)
class Pushed:
    """Telegram told us something about the channel, as it came; and the chats it is about, by number."""

    update: TLObject
    chats: Mapping[int, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Shaken:
    """Something may have been missed: look at everything."""

    reason: str


Heard: TypeAlias = Pushed | Shaken


@dataclass(frozen=True, slots=True)
class Resolved:
    """What a public name leads to.

    Attributes:
        id: the channel's number.
        access_hash: that this account needs to ask about it.
        name: in its own spelling.
        title: of the channel.
    """

    id: int
    access_hash: int
    name: str
    title: str = ""


class Ears(Protocol):
    """Hears what is pushed about one channel; bounded, and what it cannot keep is one `Shaken`."""

    async def get(self) -> Heard:
        """Give the next."""
        ...


class Account(Protocol):
    """One account.

    Attributes:
        user: its own number.
    """

    @property
    def user(self) -> int:
        """Its own number."""
        ...

    async def call(self, request: TLRequest, *, source: str) -> Any:
        """Make one request, in its turn and with a deadline.

        Raises:
            Flooded: it must wait.
            Barred: not about this channel.
            AccountLost: not with this account.
            Unanswered: try again later.
        """
        ...

    def listen(self, channel: int) -> AbstractContextManager[Ears]:
        """Hear what is pushed about a channel."""
        ...

    async def resolve(self, name: str, *, source: str) -> Resolved:
        """Find the channel of a public name.

        Raises:
            SourceFailed: as `call`.
        """
        ...


class Accounts(Protocol):
    """The accounts of this process."""

    async def of(self, channel_name: str) -> Account:
        """Give the account that follows a channel, always the same one.

        Raises:
            SourceFailed: there is none.
        """
        ...
