"""A Telegram channel as a source: which way to it, and which reader an observation needs."""

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from typing import TYPE_CHECKING, ClassVar

from pydantic import ValidationError

from connectors.common.http import Http
from connectors.seam import Cursor, Lent, Observation, Sight, Unreadable
from connectors.telegram import web
from connectors.telegram.api import message
from connectors.telegram.config import TelegramConfig
from connectors.telegram.gone import GONE_TYPE, gone_of
from connectors.telegram.host import TelegramHost
from connectors.telegram.metrics import TelegramMetrics
from connectors.telegram.names import Names
from connectors.telegram.post import Post, draft_of
from connectors.telegram.reading import wrong
from schemas.item import Draft

if TYPE_CHECKING:
    # telethon takes 0.5 s and 50 MB, in every process and command that reads a config; see the imports below
    from connectors.telegram.api.accounts import LoggedInAccounts
    from connectors.telegram.api.follow import Follow
    from connectors.telegram.api.lending import Accounts

READERS: Mapping[str, Callable[[bytes, str], Post]] = {
    message.MESSAGE_TYPE: message.post_of,
    web.PAGE_TYPE: web.post_of,
    GONE_TYPE: gone_of,
}
"""What makes a post of an observation, by its content type."""


class TelegramShared:
    """What all channels of a process share: they ask t.me politely, together, or with the same accounts.

    Args:
        lent: by the process, with the settings of this machine.

    Attributes:
        http: for `via: web`.
        names: of the channels.
    """

    def __init__(self, lent: Lent) -> None:
        self._lent = lent
        self._metrics = TelegramMetrics(lent.registry)
        self.names = Names(self._metrics.renamed, lent.log)
        self._accounts: LoggedInAccounts | None = None
        self.http = Http()

    @property
    def accounts(self) -> "Accounts":
        """For `via: api`: made when needed first, and each connects when it is needed first."""
        if self._accounts is None:
            from connectors.telegram.api.accounts import LoggedInAccounts  # noqa: PLC0415  # who follows by pages does not need it

            host = self._lent.host
            self._accounts = LoggedInAccounts(
                host if isinstance(host, TelegramHost) else TelegramHost(),
                metrics=self._metrics,
                log=self._lent.log,
            )
        return self._accounts

    async def close(self) -> None:
        """Let go of all connections."""
        await self.http.close()
        if self._accounts is not None:
            await self._accounts.close()


class Telegram:
    """One public channel."""

    kind: ClassVar[str] = "telegram"
    normaliser: ClassVar[int] = 1
    recorded: ClassVar[bool] = False

    def __init__(self, config: TelegramConfig, shared: TelegramShared, *, base: str = web.BASE) -> None:
        self.config = config
        self._shared = shared
        self._base = base

    async def observe(self, cursor: Cursor | None) -> AsyncGenerator[Sight]:
        """Follow the channel from the cursor on, for ever.

        Raises:
            SourceFailed: looking failed; the message says what, where and how to cure it.
        """
        try:
            async with aclosing(self._follow().observe(cursor)) as sights:
                async for sight in sights:
                    yield sight
        finally:
            self._shared.names.forget(self.config)

    def normalise(self, observation: Observation) -> Draft:
        """Make a draft of a post, by either way, or of a deletion.

        Raises:
            Unreadable: it is none; the message names the place and what is wrong.
        """
        reader = READERS.get(observation.content_type)
        if reader is None:
            raise Unreadable(f"{observation.place}: no reader for {observation.content_type}")
        try:
            return draft_of(reader(observation.data, observation.place))
        except ValidationError as problem:  # it reads as a post, and is beyond what an item may hold
            raise Unreadable(f"{observation.place}: {wrong(problem, 'post')}") from None

    def _follow(self) -> "web.Follow | Follow":
        if self.config.via == "web":
            return web.Follow(self.config, self._shared.http, self._base, names=self._shared.names)
        from connectors.telegram.api.follow import Follow  # noqa: PLC0415  # who follows by pages does not need it

        return Follow(self.config, self._shared.accounts, names=self._shared.names)
