"""The suite that all connectors pass, for the page way."""

import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest_asyncio
import structlog
from prometheus_client import CollectorRegistry

from connectors.common.http import Http
from connectors.seam import Connector, Lent
from connectors.telegram import Telegram, TelegramConfig, TelegramShared
from pipeline.compliance import TEXTS, Compliance, World
from tests.connectors.telegram.web.site import Site
from tests.connectors.telegram.web.wire import quick_http


class SiteWorld:
    """A channel that changes."""

    def __init__(self, site: Site, base: str, http: Http) -> None:
        self.site, self.base, self.http = site, base, http
        self.first: list[int] = []
        self.states: list[str] = []

    def connector(self, *, name: str = "wire", unit: str = "main") -> Connector:
        config = TelegramConfig(name=name, unit=unit, channel=self.site.name, poll_seconds=0.05)
        shared = TelegramShared(Lent(CollectorRegistry(), structlog.get_logger()))
        shared.http = self.http
        return Telegram(config, shared, base=self.base)

    def publish(self, text: str) -> None:
        self.first.append(self.site.post(text))
        self.states.append(self.site.render())

    def edit(self, number: int, text: str) -> None:
        self.site.edit(self.first[number], text)

    def show_old(self, number: int) -> None:
        """A cache holds the page as it was before any edit, and gives it away once more."""
        self.site.cached[""] = (self.states[-1], 1)

    def fail(self) -> None:
        self.site.refuse = (503, None)

    def mend(self) -> None:
        self.site.refuse = None


class TestPage(Compliance):
    @pytest_asyncio.fixture(autouse=True)
    async def served(self) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            self.worlds = []
            yesterday = int(time.time()) - 86_400
            for _ in range(len(TEXTS) + 1):  # one for each place to stop at
                site, http = Site(seconds=yesterday), await stack.enter_async_context(quick_http())
                self.worlds.append(SiteWorld(site, await stack.enter_async_context(site.serve()), http))
            yield

    def world(self, tmp_path: Path) -> World:
        return self.worlds.pop()
