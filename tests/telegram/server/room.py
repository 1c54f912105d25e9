"""The truth about one channel, and what its answers leave out."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from telethon.tl import functions, types

FIELDS: dict[str, list[Any]] = {"topics": [], "users": []}


class Room:
    """A public channel.

    Attributes:
        messages: as they are, by id.
        states: all texts that each message had.
        deleted: ids of what was deleted.
        log: all changes, with the count behind each.
        names: public names; the first is the one that shows.
        members: accounts that are told of changes; none: everybody is.
        mute: whether changes are made and not pushed.
        delay: how much later they are pushed (s).
        views: how often each message was seen.
        skip: of `skip` messages that a history page has, it leaves one out; 0: none.
    """

    def __init__(self, number: int, name: str, tell: Callable[[Any, "Room"], None]) -> None:
        self.number, self.names, self.tell = number, [name], tell
        self.title = f"Title of {name}"
        self.hash = 1000 + number
        self.messages: dict[int, Any] = {}
        self.states: dict[int, list[str]] = {}
        self.deleted: set[int] = set()
        self.log: list[tuple[int, Any]] = []
        self.top = 0
        self.now: Callable[[], float] = lambda: datetime.now(UTC).timestamp()
        self.too_long: int | None = None
        self.page = 100
        self.holes: set[int] = set()
        self.skip = 0
        self.barred: str | None = None
        self.timeout = 30
        self.members: set[int] | None = None
        self.mute = False
        self.delay = 0.0
        self.views: dict[int, int] = {}

    @property
    def pts(self) -> int:
        return self.log[-1][0] if self.log else 1

    @property
    def name(self) -> str:
        return self.names[0] if self.names else ""

    def rename(self, *names: str) -> None:
        """Give the channel other public names, or none."""
        self.names = list(names)

    def tells(self, user: int) -> bool:
        """Tell whether changes are pushed to an account."""
        return self.members is None or user in self.members

    def chat(self) -> Any:
        several = [types.Username(one, active=True, editable=one == self.name) for one in self.names]
        return types.Channel(
            self.number,
            self.title,
            types.ChatPhotoEmpty(),
            datetime(2020, 1, 1, tzinfo=UTC),
            broadcast=True,
            access_hash=self.hash,
            username=self.name if len(several) == 1 else None,
            usernames=several if len(several) > 1 else None,
        )

    def full(self) -> Any:
        """Give all about the channel."""
        settings = types.PeerNotifySettings()
        about = types.ChannelFull(
            self.number, "", 0, 0, 0, types.PhotoEmpty(0), settings, [], self.pts, participants_count=1000
        )
        return types.messages.ChatFull(about, [self.chat()], [])

    def views_of(self, numbers: Iterable[int]) -> Any:
        """Give how often messages were seen."""
        seen = [types.MessageViews(views=self.views.get(one)) for one in numbers]
        return types.messages.MessageViews(seen, [self.chat()], [])

    def publish(self, text: str, **fields: Any) -> int:
        """Let a new message appear; `action` makes it one that the channel says of itself."""
        self.top += 1
        peer, date = types.PeerChannel(self.number), datetime.fromtimestamp(int(self.now()), UTC)
        if "action" in fields:
            message = types.MessageService(self.top, peer, date=date, **fields)
        else:
            message = types.Message(self.top, peer, date=date, message=text, post=True, **fields)
        self.messages[self.top] = message
        self.states[self.top] = [text]
        self._note(lambda pts: types.UpdateNewChannelMessage(message, pts, 1))
        return self.top

    def album(self, *captions: str) -> list[int]:
        """Let an album appear."""
        group = self.number * 1_000_000 + self.top
        photo = types.MessageMediaPhoto(photo=types.PhotoEmpty(id=1))
        return [self.publish(caption, grouped_id=group, media=photo) for caption in captions]

    def edit(self, number: int, text: str, *, hide: bool = False) -> None:
        """Edit a message."""
        old = self.messages[number]
        fields = {key: value for key, value in vars(old).items() if not key.startswith("_")}
        wanted = types.Message.__init__.__code__.co_varnames
        kept = {key: fields[key] for key in wanted if key in fields and key != "self"}
        stamp = datetime.fromtimestamp(int(self.now()), UTC)
        message = types.Message(**(kept | {"message": text, "edit_date": stamp, "edit_hide": hide}))
        self.messages[number] = message
        self.states[number].append(text)
        self._note(lambda pts: types.UpdateEditChannelMessage(message, pts, 1))

    def delete(self, *numbers: int) -> None:
        """Delete messages."""
        for number in numbers:
            del self.messages[number]
        self.deleted |= set(numbers)
        ids = list(numbers)
        self._note(
            lambda pts: types.UpdateDeleteChannelMessages(self.number, ids, pts, len(ids)), len(numbers)
        )

    def history(self, asked: functions.messages.GetHistoryRequest) -> Any:
        """Give a page, as Telegram counts: below `offset_id`, moved by `add_offset`."""
        low, high = asked.min_id, asked.max_id or self.top + 1
        numbers = sorted((one for one in self.messages if low < one < high), reverse=True)
        start = 0
        if asked.offset_id:
            start = sum(1 for one in numbers if one >= asked.offset_id)
        elif asked.offset_date is not None and asked.offset_date.timestamp() > 0:
            start = sum(1 for one in numbers if self.messages[one].date >= asked.offset_date)
        begin = start + asked.add_offset
        end = begin + min(asked.limit, 100)
        shown = numbers[max(begin, 0) : max(end, 0)]
        shown = shown[-self.page :] if asked.add_offset < 0 else shown[: self.page]
        if self.skip:
            shown = [one for index, one in enumerate(shown, 1) if index % self.skip]
        return self._messages(one for one in shown if one not in self.holes)

    def these(self, numbers: Iterable[int]) -> Any:
        """Give these very messages."""
        found = [
            self.messages.get(one) or types.MessageEmpty(one, types.PeerChannel(self.number))
            for one in numbers
        ]
        return types.messages.ChannelMessages(
            pts=self.pts, count=len(found), messages=found, chats=[self.chat()], **FIELDS
        )

    def difference(self, pts: int, limit: int) -> Any:
        """Give what changed since."""
        told = [(count, update) for count, update in self.log if count > pts]
        if self.too_long is not None and len(told) > self.too_long:
            peer = types.PeerChannel(self.number)
            dialog = types.Dialog(peer, self.top, 0, 0, 0, 0, 0, 0, types.PeerNotifySettings(), pts=self.pts)
            return types.updates.ChannelDifferenceTooLong(
                dialog=dialog, messages=[], chats=[self.chat()], users=[], final=True, timeout=self.timeout
            )
        if not told:
            return types.updates.ChannelDifferenceEmpty(pts=self.pts, final=True, timeout=self.timeout)
        most = min(limit, 100)  # what Telegram gives to users
        now, rest = told[:most], told[most:]
        new = [
            self.messages[update.message.id]
            for _, update in now
            if isinstance(update, types.UpdateNewChannelMessage) and update.message.id in self.messages
        ]
        others = [update for _, update in now if not isinstance(update, types.UpdateNewChannelMessage)]
        return types.updates.ChannelDifference(
            pts=now[-1][0],
            new_messages=new,
            other_updates=others,
            chats=[self.chat()],
            users=[],
            final=not rest,
            timeout=self.timeout,
        )

    def _messages(self, numbers: Iterable[int]) -> Any:
        found = [self.messages[one] for one in numbers]
        return types.messages.ChannelMessages(
            pts=self.pts, count=len(self.messages), messages=found, chats=[self.chat()], **FIELDS
        )

    def _note(self, make: Callable[[int], Any], count: int = 1) -> None:
        # As core.telegram.org/api/updates has it: a change's pts is the pts before it plus its pts_count.
        pts = self.pts + count
        update = make(pts)
        self.log.append((pts, update))
        self.tell(update, self)
