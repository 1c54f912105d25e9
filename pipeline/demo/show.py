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
LEAST_WEIGHT = 0.005
"""Smaller ones would be printed as nothing."""
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
    """Give a stamp in UTC, no finer than it was printed; what cannot be read, or has no zone, as it was."""
    if stamp is None:
        return "no stamp"
    if stamp.lo is None or stamp.zone == "none":
        return f"“{stamp.raw}”"
    return stamp.lo.strftime("%d %b" if stamp.precision == "day" else "%d %b %H:%M")


def clock(stamp: Stamp | None) -> str:
    """Give the clock of a stamp for a narrow column."""
    text = printed(stamp)
    return text if text.startswith("“") or stamp is None or stamp.precision == "day" else text[-5:]


def stories(found: Iterable[Story], *, at_least: int = 2, most: int = 40) -> Table:
    """Give the stories of several reports, in order of their first report."""
    table = Table(
        title="Stories", title_justify="left", title_style="bold", expand=True, row_styles=("", "dim")
    )
    table.add_column("first", no_wrap=True)
    table.add_column("story", ratio=3)
    table.add_column("reports, each with its own stamp (UTC; = copy)", ratio=4)
    table.add_column("items", justify="right")
    table.add_column("owners", justify="right")
    rows = [story for story in found if story.tally.items >= at_least]
    for story in sorted(rows, key=lambda one: (one.first_observed, one.story_id))[:most]:
        known = [m.published.lo for m in story.members if m.published and m.published.zone != "none"]
        first = min((lo for lo in known if lo is not None), default=None)
        table.add_row(
            first.strftime("%d %b %H:%M") if first else "?",
            shortened(story.headline),
            ", ".join(report(member) for member in story.members),
            str(story.tally.items),
            str(story.tally.owners),
        )
    return table


def singles(found: Iterable[Story], *, most: int = 12) -> Table:
    """Give the stories of one report, a line each."""
    table = Table(title="Stories of one report", title_justify="left", title_style="bold", box=None)
    for column in ("first", "source", "story"):
        table.add_column(column, no_wrap=column != "story", style="dim")
    rows = [story for story in found if story.tally.items == 1]
    for story in sorted(rows, key=lambda one: (one.first_observed, one.story_id))[:most]:
        (member,) = story.members
        year = f"{member.published.lo:%Y} " if member.published and member.published.lo else ""
        time = printed(member.published)
        table.add_row(time if time.startswith("“") else year + time, member.source, shortened(story.headline))
    return table


def report(member: Member) -> str:
    """Give one report in a few words; a copy is marked with an equals sign."""
    return f"{'=' if member.role == 'copy' else ''}{member.source} {clock(member.published)}"


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
    reports.add_column()
    reports.add_column(no_wrap=True)
    reports.add_column(overflow="fold")  # a permalink is never cut
    stamps = {fact.item_id: fact.stamp for fact in flag.evidence if fact.what == "published" and fact.item_id}
    for subject in flag.subjects:
        stamp = stamps.get(subject.item_id)
        reports.add_row(
            Text(subject.source, "bold"), f"stamped {printed(stamp)}, UTC", shortened(subject.headline)
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
        weight = f"{one.weight:.2f}" if one.weight >= LEAST_WEIGHT else "< 0.01"
        readings.add_row(str(one.rank), one.reading, left, weight)
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
        f"{outcome.dead} dead letter{'s' * (outcome.dead != 1)}",
        f"{outcome.seconds:.1f} s",
    ]
    return Text(" · ".join(parts), "bold green" if not outcome.dead else "bold yellow")


def everything(outcome: Outcome) -> RenderableType:
    """Give all of it: stories, flags, each conflict between sources in full, and the sum."""
    conflicts = [conflict(flag) for flag in outcome.standing if flag.flag == "pair_conflict"]
    return Group(
        stories(outcome.stories),
        "",
        singles(outcome.stories),
        "",
        flags(outcome.standing),
        "",
        *conflicts,
        "",
        summary(outcome),
    )
