"""What to ask next about one channel, what each answer and push changes, and where the cursor may go. Pure.

It is told of everything that happens (`heard`, `answered`, `failed`, ...) with the time, leaves what is to be
yielded in `told`, and says with `next` what to ask. It has no clock and asks nothing itself, so that every
interleaving and every place to crash can be enumerated without a network.

Three feeds meet in `Known`: pushes, differences by our own count of changes, and history. Only history moves
`last`: a push says nothing of what lies below it, and neither does a difference. One that is contiguous by
its counts proves only that the server told everything *it* counted: servers have been seen to jump over posts
(TooLong) and to refuse for days (PERSISTENT_TIMESTAMP_OUTDATED), and nothing in a difference shows which ids
it left out. So a difference is an alarm, and the page behind it is the proof; that is one request more for
each poll that brings something. A crash costs at most that page again.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, TypeAlias

from connectors.telegram.albums import Part, Parts
from connectors.telegram.api.agenda import Agenda
from connectors.telegram.api.asks import (
    PAGE,
    Answer,
    Ask,
    Changes,
    Deleted,
    Difference,
    Moment,
    Older,
    Page,
    Said,
    These,
    Update,
    kind_of,
)
from connectors.telegram.api.first import First
from connectors.telegram.api.intake import Intake
from connectors.telegram.api.known import Known, News, Word
from connectors.telegram.api.stand import Stand
from connectors.telegram.api.telling import Asked, Hole, Holes, Look, Telling
from connectors.telegram.api.walks import ALBUM, Downward, Upward
from connectors.telegram.config import TelegramConfig

SETTLE = 5.0
"""A push may be so much ahead of the pages, seconds: a page that does not show it yet says nothing."""
MARGIN = 300
"""Posts that are remembered beyond those that are looked at again."""

Fingerprint: TypeAlias = Callable[[Parts], str]


class Standing:
    """One channel.

    Attributes:
        told: what is to be yielded, in this order.
        name: the channel's public name, as it was told last.
        agenda: what is to be looked at when.

    Args:
        config: the source's settings.
        stand: where it stood.
        fingerprint: of a post.
        now: the time.
        jitter: gives a number from 0 to 1.
    """

    def __init__(
        self,
        config: TelegramConfig,
        stand: Stand,
        *,
        fingerprint: Fingerprint,
        now: Moment,
        jitter: Callable[[], float],
    ) -> None:
        self.told: deque[Telling] = deque()
        self.name = stand.name
        self.agenda = Agenda(config.poll_seconds, config.reread_seconds, jitter, now.ticks)
        self._config = config
        self._stand = stand
        self._known = Known(stand, fingerprint=fingerprint, keep=config.reread_posts + MARGIN)
        self._in = Intake(stand, self._known, config.album_seconds)
        self._backlog = stand.backlog
        self._complete = self._looked = self._reread = stand.looked
        self._pts = self._safe_pts = stand.pts
        self._since: Moment | None = None
        self._blind = stand.last is not None
        self._asked: Asked | None = None
        self._passed: set[int] = set()
        self._up: Upward | None = None
        self._down: Downward | None = None
        self._holes = Holes()
        self._first = First(config.backfill_posts, config.backfill_since, began=now)

    def next(self, now: Moment) -> Asked | None:
        """Give what to ask now; none if nothing is due, or while something is being asked."""
        if self._asked is not None:
            return None
        self.tick(now)
        if self.agenda.differ and (self._pts is None or not self.agenda.may("difference", now.ticks)):
            self._want_newer(thorough=True)
            self.agenda.differ = False
        for why, ask in self._wanted(now):
            if self.agenda.may(kind_of(ask), now.ticks):
                self._since = self._since or now
                self._asked = Asked(ask, self._known.number, now, why)
                self._take_off(self._asked)
                return self._asked
        return None

    def due(self) -> float:
        """Give the moment at which to ask `next` again, if nothing happens before."""
        return min(self.agenda.due(timers=self._in.last is not None), self._in.due())

    def tick(self, now: Moment) -> None:
        """Let time pass: let go of albums that waited, want what is due."""
        self._tell(self._in.let_go(self._word("push", now)))
        if self._in.last is not None:
            self.agenda.tick(now.ticks)
        self.agenda.rest(now.ticks)

    def heard(self, update: Update, now: Moment) -> None:
        """Take in a push. Before first contact is over history brings everything anyway."""
        self.release(now)
        if self._in.last is not None:
            self._take(update, self._word("push", now))

    def shaken(self, now: Moment) -> None:
        """Take in that pushes may have been lost: look at everything."""
        self.release(now)
        self._blind = True
        self._known.number += 1
        self.agenda.differ = self.agenda.again = True
        self._want_newer(thorough=True)
        if self._in.last is not None:
            self._since = now
            self._give_up(self._down)

    def failed(self, asked: Asked, now: Moment, wait: float) -> None:
        """Take in that a request was not answered; its kind waits so many seconds."""
        self.release(now)
        self._asked = None
        self._blind = True
        self.agenda.postpone(kind_of(asked.ask), now.ticks + wait)
        if asked.why == "around" and isinstance(asked.ask, Older):
            self._in.around[asked.ask.before - ALBUM] = None
        elif asked.why == "doubts" and isinstance(asked.ask, These):
            self._known.doubts |= dict.fromkeys(asked.ask.messages)

    def refused(self, now: Moment) -> None:
        """Take in that Telegram cannot tell the difference from our count of changes on."""
        self.release(now)
        self._asked = None
        self._jumped(now)

    def answered(self, asked: Asked, answer: Answer, now: Moment) -> None:
        """Take in an answer."""
        self.release(now)
        self._asked = None
        if isinstance(answer, Changes):
            self._changed(answer, asked, now)
        elif asked.why == "holes" and self._up is not None and isinstance(asked.ask, These):
            self._tell(self._in.delete(answer.empty, self._word("history", now, asked)))
            self._up.fill(answer.parts, asked.ask.messages)
        elif asked.why == "doubts":
            word = self._word("reread", now, asked, whole=False, sure=True, pts=answer.pts)
            self._tell(self._in.clear(answer, word))
        elif asked.why == "around" and isinstance(asked.ask, Older):
            word = self._word("reread", now, asked, sure=True, pts=answer.pts)
            self._tell(self._in.look_around(asked.ask.before - ALBUM, answer, word))
        elif asked.why == "newer" and self._up is not None:
            self._pts = self._pts if self._pts is not None else answer.pts
            self._up.take(answer, asked, self._known.was_gone)
        elif asked.why == "first":
            self._first.take(answer)
            if self._first.after is not None:
                self._begin_after(self._first.after, self._first.head)
        elif asked.why == "again":
            self._reread_page(answer, asked, now)
        if self._up is not None and not self._up.ready:
            self.release(now)
        self._settle(now)

    def release(self, now: Moment, most: int | None = None) -> bool:
        """Take in posts that history proved, and move the cursor over each; say whether there was anything.

        `answered` leaves them to this, so that the page behind them is on its way meanwhile.
        """
        up = self._up
        if up is None or not (up.ready or up.done):
            return False
        word = self._word("history", now, up.asked)
        for parts, behind, pts in up.give(most):
            backlog = parts[0].id <= self._backlog
            news = self._in.show(parts, replace(word, pts=pts, absent=None if backlog else word.absent))
            self._in.last = max(self._in.last or 0, behind)
            self._passed |= self._known.doubts.keys() & {part.id for part in parts}
            self._tell(news, backlog=backlog)
        if up.done and not up.ready:
            self._in.unseen |= dict.fromkeys(up.missing)
            self._up = None
            self.agenda.newer = self.agenda.thorough = False
            self._settle(now)
        return True

    def cursor(self) -> dict[str, Any]:
        """Give where the channel stands now, as far as it is told."""
        last = self._proven()
        over = last is not None and last >= self._backlog
        return Stand(
            self._stand.channel,
            self.name,
            last=last,
            window=tuple(self._known.posts(self._config.reread_posts)),
            looked=self._looked,
            pts=self._safe_pts,
            first=self._in.first,
            backlog=0 if over else self._backlog,
            unseen=self._unseen(),
            gone=tuple(self._in.gone_above(last or 0)),
            rest=self._stand.rest,
        ).spell()

    def _proven(self) -> int | None:
        """Give up to where all is told: what history passed in doubt is not, until it was looked at."""
        asked = self._asked.ask if self._asked is not None else None
        looked_at = asked.messages if isinstance(asked, These) else ()
        self._passed &= {*self._known.doubts, *looked_at}
        if self._in.last is None or not self._passed:
            return self._in.last
        return min(self._in.last, min(self._passed) - 1)

    def keep(self, rest: Mapping[str, Any]) -> None:
        """Carry other things along in the cursor."""
        self._stand = replace(self._stand, rest=rest)

    # what to ask

    def _wanted(self, now: Moment) -> Iterator[tuple[str, Ask]]:
        """Give what is to be asked, the most urgent first."""
        if self._up is not None and self._up.ready:  # before they are taken in, only what lies behind them
            yield from self._up.wanted()
            return
        if self._known.doubts:
            yield "doubts", These(tuple(self._known.doubts)[:PAGE])
        if self._in.last is None:
            yield "first", self._first.ask()
            return
        if self.agenda.newer and self._up is None:
            head = None if self.agenda.thorough else self._in.top
            self._up = Upward(self._in.last, head)
        if self._up is not None:
            yield from self._up.wanted()
        if self._in.around:
            yield "around", Older(next(iter(self._in.around)) + ALBUM, 2 * ALBUM)
        if self.agenda.again and self._down is None and self._up is None:
            count, floor = self._config.reread_posts, self._in.first or 0
            self._down = Downward(count, floor=floor, number=self._known.number, began=now)
        if self._down is not None and not self._down.done:
            yield "again", self._down.ask()
        if self.agenda.differ and self._pts is not None:  # last: it tells old states too, pages know the new
            yield "differ", Difference(self._pts)

    def _take_off(self, asked: Asked) -> None:
        """Take off the list what is asked for; what comes on it meanwhile is asked for again."""
        if asked.why == "around" and isinstance(asked.ask, Older):
            del self._in.around[asked.ask.before - ALBUM]
        elif asked.why == "doubts" and isinstance(asked.ask, These):
            for message in asked.ask.messages:
                del self._known.doubts[message]

    def _want_newer(self, *, thorough: bool = False) -> None:
        self.agenda.newer = True
        self.agenda.thorough |= thorough
        if self._up is not None:
            self._up.head = None  # it began before: let it go to the very end

    # what answers and pushes change

    def _word(self, way: str, now: Moment, asked: Asked | None = None, **more: Any) -> Word:
        moment = asked.moment if asked else now
        number = asked.number if asked else self._known.number
        absent = self._complete if self._complete is not None and self._complete <= now.at else None
        return Word(way, number, moment.at, now.ticks, absent, **more)

    def _take(self, update: Update, word: Word) -> None:
        if isinstance(update, Said):
            self._tell(self._in.say(update.part, replace(word, pts=update.pts)))
        elif isinstance(update, Deleted):
            self._tell(self._in.delete(update.messages, word))
        else:
            self.agenda.differ = True
            self._want_newer(thorough=True)

    def _changed(self, changes: Changes, asked: Asked, now: Moment) -> None:
        """Take in a difference."""
        before = asked.ask.pts if isinstance(asked.ask, Difference) else 0
        if changes.too_long:
            self._blind = True
            self._pts = changes.pts
            self.agenda.differ, self.agenda.again = False, True
            self._want_newer(thorough=True)
            return
        word = self._word("poll", now, asked)  # new messages come as they are now, whatever the count is
        for part in changes.new:
            self._tell(self._in.say(part, word))
        for update in changes.updates:
            self._take(update, word)
        if changes.new:
            self._want_newer()
        if not changes.final and (changes.pts or 0) <= before:
            self._jumped(now)
            return
        self._pts = changes.pts if changes.pts is not None else self._pts
        self.agenda.differ = not changes.final
        self.agenda.troubles = 0
        self.agenda.hint(changes.wait, now.ticks)

    def _jumped(self, now: Moment) -> None:
        self._blind = True
        self._pts = None
        self.agenda.trouble(now.ticks)
        self._want_newer(thorough=True)

    def _reread_page(self, page: Page, asked: Asked, now: Moment) -> None:
        if self._down is not None and asked.number >= self._down.number:
            self._down.take(page)
            if self._down.done:
                self._end_reread(self._down, now)
        else:  # it was given up for another
            for part in page.parts:
                self._say(part, self._word("reread", now, asked, pts=page.pts))

    def _give_up(self, down: Downward | None) -> None:
        """Go through the last posts no further; what was shown of them may have been shown to nobody else."""
        self._down = None
        if down is not None:
            word = Word("reread", down.number, down.began.at, down.began.ticks, self._complete)
            for part in down.parts():
                self._say(part, replace(word, pts=down.pts((part,))))

    def _say(self, part: Part, word: Word) -> None:
        """Take in a message of a part of a look; of albums only a whole look tells."""
        if part.group is None and part.id >= (self._in.first or 0):
            self._tell(self._in.say(part, word))

    def _end_reread(self, down: Downward, now: Moment) -> None:
        """Take in the last posts."""
        self._down = None
        word = Word("reread", down.number, down.began.at, now.ticks, self._complete)
        for parts in down.posts():
            self._tell(self._in.show(parts, replace(word, pts=down.pts(parts))))
            if parts[-1].id > (self._in.last or 0):
                self._want_newer()
        high, settled = down.high(), down.began.ticks - SETTLE
        lacking = self._known.lacking(down.shown(), down.low(), high, asked=down.number, settled=settled)
        self._known.doubts |= dict.fromkeys(lacking)
        self._in.top = max(self._in.top, high or 0)
        self._reread = down.began.at
        self.agenda.again = False

    def _begin_after(self, last: int, backlog: int) -> None:
        self._backlog = backlog
        self._in.last, self._in.first = last, last + 1
        self.agenda.again = False
        self._reread = self._since.at if self._since else None

    def _settle(self, now: Moment) -> None:
        """Say that a look is complete, if it is."""
        if self._in.around or self._known.doubts or self._up is not None or self._down is not None:
            return
        self._safe_pts = self._pts
        if self.agenda.open or self._since is None or self._in.last is None:
            return
        unseen = self._unseen()
        self._in.unseen.clear()
        if self._blind and unseen:
            hole = Hole(self._complete, now.at, unseen)
            self._holes.tell(hole)
            self.told.append(Telling(hole, self.cursor()))
        self._blind = False
        self._complete, self._looked = self._since.at, self._reread
        self._since = None
        self.told.append(Telling(Look(), self.cursor()))

    def _unseen(self) -> tuple[int, ...]:
        """Give what was gone before it was seen, but for what first contact may leave out; ascending."""
        walked = self._up.missing if self._up is not None else ()
        return tuple(sorted(one for one in (*self._in.unseen, *walked) if one > self._backlog))

    def _tell(self, news: Iterable[News], *, backlog: bool = False) -> None:
        """Put on the list what is to be yielded; the cursor lies behind the last of it."""
        found = list(news)
        seen = self._in.told(found)
        for number, one in enumerate(found, 1):
            cursor = self.cursor() if number == len(found) else None
            self.told.append(Telling(one, cursor, backlog))
        self.told.extend(Telling(hole, self.cursor()) for hole in self._holes.fill(seen))
