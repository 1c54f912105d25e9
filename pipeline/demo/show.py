"""What a replay came to, as tables a person likes to read."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from schemas.flag import Flag
from schemas.item import Deduplicated
from schemas.stamp import Stamp
from schemas.story import Member, Story

HEADLINE = 66
STATES = ("open", "confirmed")
SEVERITIES = ("critical", "high", "warn", "info")
COLOURS = {"critical": "bold red", "high": "red", "warn": "yellow", "info": "dim"}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What stands on the topics after a replay.

    Attributes:
        items: item revisions with their verdicts, in order.
        stories: the latest state of each story.
        flags: the latest state of each flag.
        dead: records that could not be processed.
        seconds: how long the replay took.
    """

    items: Sequence[Deduplicated]
    stories: Sequence[Story]
    flags: Sequence[Flag]
    dead: int
    seconds: float

    @property
    def standing(self) -> list[Flag]:
        """The flags that stand, the gravest first."""
        found = [flag for flag in self.flags if flag.state in STATES]
        return sorted(found, key=lambda flag: (SEVERITIES.index(flag.severity), flag.raised, flag.flag_id))


def printed(stamp: Stamp | None) -> str:
    """Give a stamp for a narrow column, in UTC, no finer than it was printed."""
    if stamp is None or stamp.lo is None:
        return f"? {stamp.raw}" if stamp else "no stamp"
    if stamp.zone == "none":
        return f"{stamp.raw} (no zone)"
    form = "%d %b" if stamp.precision == "day" else "%d %b %H:%M"
    return stamp.lo.strftime(form)


def stories(found: Iterable[Story], *, at_least: int = 2, most: int = 40) -> Table:
    """Give the stories of several reports, in order of their first report."""
    table = Table(
        title="Stories", title_justify="left", title_style="bold", expand=True, row_styles=("", "dim")
    )
    table.add_column("first", no_wrap=True)
    table.add_column("story", ratio=3)
    table.add_column("reports: source and its own time, UTC", ratio=4)
    table.add_column("items", justify="right")
    table.add_column("owners", justify="right")
    rows = [story for story in found if story.tally.items >= at_least]
    for story in sorted(rows, key=lambda one: (one.first_observed, one.story_id))[:most]:
        first = min((m.published.lo for m in story.members if m.published and m.published.lo), default=None)
        table.add_row(
            first.strftime("%d %b %H:%M") if first else "?",
            shortened(story.headline),
            ", ".join(report(member) for member in story.members),
            str(story.tally.items),
            str(story.tally.owners),
        )
    return table


def report(member: Member) -> str:
    """Give one report in a few words; a copy is marked with an equals sign."""
    time = printed(member.published)
    return f"{'=' if member.role == 'copy' else ''}{member.source} {time.rpartition(' ')[2]}"


def shortened(text: str) -> str:
    """Give the beginning of a text, cut at a word."""
    line = " ".join(text.split())
    return line if len(line) <= HEADLINE else line[:HEADLINE].rpartition(" ")[0] + " …"


def flags(found: Sequence[Flag]) -> Table:
    """Give the flags that stand, a line each."""
    table = Table(
        title="Timestamps that cannot be right", title_justify="left", title_style="bold", expand=True
    )
    table.add_column("severity", no_wrap=True)
    table.add_column("flag", no_wrap=True)
    table.add_column("what", ratio=1)
    for flag in found:
        table.add_row(Text(flag.severity, COLOURS.get(flag.severity, "")), flag.flag, flag.summary)
    return table


def conflict(flag: Flag) -> RenderableType:
    """Give one conflict in full: the reports with their permalinks, and every possible reading."""
    reports = Table(box=None, show_header=False, pad_edge=False)
    stamps = {fact.item_id: fact.stamp for fact in flag.evidence if fact.what == "published" and fact.item_id}
    for subject in flag.subjects:
        stamp = stamps.get(subject.item_id)
        reports.add_row(
            Text(subject.source, "bold"), f"stamped {printed(stamp)} UTC", shortened(subject.headline)
        )
        reports.add_row("", "printed", Text(repr(stamp.raw) if stamp else "-"))
        reports.add_row("", "permalink", Text(subject.url or "none", "cyan"))
    readings = Table(
        title="Possible readings, likeliest first; none is shown by these two stamps", expand=True
    )
    readings.add_column("", justify="right")
    readings.add_column("reading", ratio=1)
    readings.add_column("then apart", justify="right", no_wrap=True)
    readings.add_column("weight", justify="right")
    for one in flag.hypotheses:
        left = "-" if one.apart_seconds is None else minutes(one.apart_seconds)
        readings.add_row(str(one.rank), one.reading, left, f"{one.weight:.2f}")
    title = Text(f" {flag.flag} ", "bold red")
    return Panel(
        Group(Text(flag.summary, "bold"), "", reports, "", readings), title=title, title_align="left"
    )


def minutes(seconds: float) -> str:
    """Spell a duration: 5 h 33 min."""
    whole = round(seconds / 60)
    hours, rest = divmod(abs(whole), 60)
    return f"{hours} h {rest} min" if hours else f"{rest} min"


def summary(outcome: Outcome) -> Text:
    """Give what was done in one line."""
    copies = sum(one.verdict.role == "copy" for one in outcome.items)
    sources = len({one.item.source for one in outcome.items})
    told = sum(story.tally.items > 1 for story in outcome.stories)
    parts = [
        f"{len(outcome.items)} item revisions of {sources} sources",
        f"{copies} copies",
        f"{len(outcome.stories)} stories ({told} with two reports or more)",
        f"{len(outcome.standing)} flags",
        f"{outcome.dead} dead letters",
        f"{outcome.seconds:.1f} s",
    ]
    return Text(" · ".join(parts), "bold green" if not outcome.dead else "bold yellow")


def everything(outcome: Outcome) -> RenderableType:
    """Give all of it: stories, flags, each conflict between sources in full, and the sum."""
    conflicts = [conflict(flag) for flag in outcome.standing if flag.flag == "pair_conflict"]
    return Group(stories(outcome.stories), "", flags(outcome.standing), "", *conflicts, "", summary(outcome))
