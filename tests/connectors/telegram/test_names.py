"""A renamed channel is told in the log and by a metric, by either way."""

from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from connectors.telegram.config import TelegramConfig
from tests.connectors.telegram.naming import names
from tests.connectors.telegram.web.wire import filled, watching

CONFIG = TelegramConfig(name="desk", channel="BricsNews")
RENAMED = "dateline_telegram_channel_renamed"


def test_a_rename_is_told_once_and_stands_until_the_source_is_not_followed_any_more() -> None:
    registry = CollectorRegistry()
    all_names = names(registry)
    with capture_logs() as log:
        for name, is_renamed in (("bricsnews", 0), ("Brics", 1), ("Brics", 1), ("", 1), ("BRICSnews", 0)):
            all_names.tell(CONFIG, name)
            assert registry.get_sample_value(RENAMED, {"source": "desk"}) == is_renamed
    assert [entry["renamed_to"] for entry in log] == ["Brics", None]
    all_names.forget(CONFIG)
    all_names.forget(CONFIG)
    assert registry.get_sample_value(RENAMED, {"source": "desk"}) is None
    with capture_logs() as log:
        all_names.tell(CONFIG, "Brics")
    assert log, "a process that takes the source up again says it again"


async def test_a_page_that_an_old_name_still_leads_to_tells_of_the_new_one() -> None:
    site = filled(3)
    with capture_logs() as log:
        async with watching(site) as watch:
            await watch.look()
            assert log == []
            site.spoil = lambda html: html.replace("BricsNews", "Brics")
            await watch.look()
            await watch.look()
    assert [(entry["channel"], entry["renamed_to"]) for entry in log] == [("BricsNews", "Brics")]
