"""`dateline`, for which t.me is where the environment says."""

import os
from functools import partial
from unittest.mock import patch

from connectors import registry
from connectors.common.http import Http
from connectors.registry import Kind
from connectors.seam import Lent
from connectors.telegram import Telegram, TelegramConfig, TelegramShared
from connectors.telegram.api import account, schedule
from connectors.telegram.api.pace import Pace
from pipeline.cli import main as dateline

PAGES = "TELEGRAM_PAGES"


class Hasty(TelegramShared):
    """Asks a t.me of our own as often as it likes."""

    def __init__(self, lent: Lent) -> None:
        super().__init__(lent)
        self.http = Http(spacing_seconds=0.0)


def main() -> None:
    """Turn to the other t.me, whose patience with names has no end, then be `dateline`."""
    connector = partial(Telegram, base=os.environ[PAGES])
    patch.dict(registry.KINDS, {"telegram": Kind(TelegramConfig, connector, Hasty)}).start()
    patch.dict(schedule.RATES, {schedule.RESOLVE: schedule.Rate(per_hour=1000, spacing=0.0)}).start()
    # It cuts connections every few seconds, and is there again at once.
    patch.object(account, "Pace", partial(Pace, first=0.2, longest=1.0)).start()
    dateline()


if __name__ == "__main__":
    main()
