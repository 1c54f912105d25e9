"""What this machine lacks for channels that are followed through the API, for `dateline check`."""

from collections.abc import Iterator, Sequence

from connectors.seam import SourceConfig
from connectors.telegram.host import TelegramHost, lacking, through_api


def cautions(sources: Sequence[SourceConfig], host: TelegramHost | None) -> Iterator[str]:
    """Yield why sources `via: api` cannot be followed from here, and the cure; if there are any."""
    names = through_api(sources)
    if not names:
        return
    host = host or TelegramHost()
    shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > len(names[:3]) else "")
    yield from (f"{shown}: via: api: {missing}." for missing in lacking(host))
    if host.sessions:
        # telethon is slow to load, and most machines have no sessions
        from connectors.telegram.api.session import problem_of  # noqa: PLC0415

        yield from (f"{problem}." for path in host.sessions if (problem := problem_of(path)))
