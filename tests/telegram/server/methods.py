"""The answers, where nothing goes wrong."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from telethon.tl import types

from tests.telegram.server.accounts import Account
from tests.telegram.server.faults import Refusal
from tests.telegram.server.room import Room


class Methods:
    """What an account may ask for, one method each, named as the request is."""

    def __init__(
        self, rooms: Mapping[int, Room], port: int, account: Account, pts: int, *, too_long: bool = False
    ) -> None:
        self._rooms, self._port, self._account, self._pts = rooms, port, account, pts
        self._too_long = too_long

    def answer(self, name: str, request: Any, room: Room | None) -> Any:
        """Answer a request; access hashes are the account's own.

        Raises:
            Refusal: there is no such method, or it is about no channel.
        """
        if name in OF_ROOMS:
            if room is None:
                raise Refusal("CHANNEL_INVALID")
            result = OF_ROOMS[name](self, request, room)
        elif name in OTHERS:
            result = OTHERS[name](self, request)
        else:
            raise Refusal("METHOD_INVALID")
        return for_account(result, self._account)

    def room_of(self, peer: Any) -> Room | None:
        """Give the channel that a peer names.

        Raises:
            Refusal: it does not exist, or the access hash is another account's.
        """
        number = getattr(peer, "channel_id", None)
        if number is None:
            return None
        room = self._rooms.get(number)
        if room is None or peer.access_hash != self._account.hash_of(room.hash):
            raise Refusal("CHANNEL_INVALID")
        return room

    def config(self, _: Any) -> Any:
        now = datetime.now(UTC)
        center = [types.DcOption(2, "127.0.0.1", self._port)]
        return types.Config(now, now, False, 2, center, "", *[1000] * 21, "https://t.me/", 1024, 4096, 2)

    def users(self, request: Any) -> Any:
        me = types.User(self._account.user, is_self=True, access_hash=1, first_name="Desk")
        return [me if isinstance(one, types.InputUserSelf) else types.UserEmpty(1) for one in request.id]

    def state(self, _: Any) -> Any:
        return types.updates.State(self._pts, 0, datetime.now(UTC), 1, 0)

    def difference(self, request: Any) -> Any:
        if self._too_long:
            return types.updates.DifferenceTooLong(self._pts)
        rooms = [
            room
            for room in self._rooms.values()
            if room.log and room.barred is None and room.tells(self._account.user)
        ]
        return types.updates.Difference(
            new_messages=[],
            new_encrypted_messages=[],
            other_updates=[types.UpdateChannelTooLong(room.number, room.pts) for room in rooms],
            chats=[room.chat() for room in rooms],
            users=[],
            state=self.state(request),
        )

    def resolve(self, request: Any) -> Any:
        for room in self._rooms.values():
            if request.username.casefold() in (one.casefold() for one in room.names):
                return types.contacts.ResolvedPeer(types.PeerChannel(room.number), [room.chat()], [])
        raise Refusal("USERNAME_NOT_OCCUPIED")

    def channels(self, request: Any) -> Any:
        rooms = [room for one in request.id if (room := self.room_of(one))]
        barred = [room.barred for room in rooms if room.barred]
        if barred:
            raise Refusal(barred[0])
        return types.messages.Chats([room.chat() for room in rooms])

    def history(self, request: Any, room: Room) -> Any:
        return room.history(request)

    def channel_difference(self, request: Any, room: Room) -> Any:
        return room.difference(request.pts, request.limit)

    def messages(self, request: Any, room: Room) -> Any:
        return room.these([one.id for one in request.id])

    def join(self, request: Any, room: Room) -> Any:
        if room.members is not None:
            room.members.add(self._account.user)
        return types.messages.ChatInviteJoinResultOk(
            types.Updates([], [], [room.chat()], datetime.now(UTC), 0)
        )

    def full(self, request: Any, room: Room) -> Any:
        return room.full()

    def views(self, request: Any, room: Room) -> Any:
        return room.views_of(request.id)


OF_ROOMS = {
    "GetHistory": Methods.history,
    "GetChannelDifference": Methods.channel_difference,
    "GetMessages": Methods.messages,
    "JoinChannel": Methods.join,
    "GetFullChannel": Methods.full,
    "GetMessagesViews": Methods.views,
}
OTHERS = {
    "GetConfig": Methods.config,
    "GetUsers": Methods.users,
    "GetState": Methods.state,
    "GetDifference": Methods.difference,
    "ResolveUsername": Methods.resolve,
    "GetChannels": Methods.channels,
}


def for_account(result: Any, account: Account) -> Any:
    """Give the answer with the access hashes that this account has."""
    chats = getattr(getattr(result, "updates", result), "chats", ())
    for chat in chats:
        if isinstance(chat, types.Channel):
            chat.access_hash = account.hash_of(chat.access_hash)
    return result
