"""What a plain telethon loses in silence: the server loses nothing, and tells it as Telegram does."""

from collections.abc import AsyncIterator

import pytest

from tests.telegram.plain import Client, until
from tests.telegram.server import Room, Server


@pytest.fixture
def room(server: Server) -> Room:
    room = server.room("wire")
    room.publish("one")
    room.publish("two")
    return room


@pytest.fixture
async def client(server: Server, room: Room) -> AsyncIterator[Client]:
    async with Client(server) as client:
        room.publish("telethon counts from here")
        await until(lambda: len(client.told) == 1)
        client.told.clear()
        yield client


async def test_a_difference_that_is_too_long_is_lost(client: Client, server: Server, room: Room) -> None:
    room.mute, room.too_long = True, 100
    for number in range(150):
        room.publish(f"lost {number}")
    room.mute = False
    room.publish("behind the gap")
    await until(lambda: "GetChannelDifference" in server.asked)
    await client.plain.get_me()
    room.publish("after it")
    await until(lambda: "after it" in client.texts())
    assert client.texts() == ["after it"]
    assert len(room.messages) == 155


async def test_edits_and_deletions_in_a_difference_are_lost(client: Client, room: Room) -> None:
    room.mute = True
    room.publish("new")
    room.edit(1, "edited")
    room.delete(2)
    room.mute = False
    room.publish("behind the gap")
    await until(lambda: "behind the gap" in client.texts())
    room.publish("after it")
    await until(lambda: "after it" in client.texts())
    assert set(client.kinds()) == {"UpdateNewChannelMessage"}
    assert client.texts() == ["new", "behind the gap", "after it"]


async def test_a_connection_that_came_back_does_not_catch_up(
    client: Client, server: Server, room: Room
) -> None:
    asked = server.asked.count("GetUsers")
    server.drop()
    room.publish("during the outage")
    await until(lambda: server.asked.count("GetUsers") > asked)  # all that telethon does when it is back
    await client.plain.get_me()
    assert client.told == []
    assert "GetDifference" not in server.asked[-2:]
    room.publish("the next one")
    await until(lambda: client.texts() == ["during the outage", "the next one"])


async def test_an_update_of_an_unknown_type_is_dropped(client: Client, server: Server, room: Room) -> None:
    server.push_unknown()
    await client.plain.get_me()
    assert client.told == []
    assert client.plain.is_connected()
