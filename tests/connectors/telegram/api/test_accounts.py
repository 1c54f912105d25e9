"""Several accounts share the channels; one that dies hands over its own and no others."""

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from telethon.tl import functions, types

from connectors.telegram.api.accounts import chosen
from connectors.telegram.api.lending import AccountLost
from tests.telegram.desk import Household, desk, session

CHANNELS = [f"wire{number}" for number in range(40)]


async def test_several_accounts_share_the_channels(tmp_path: Path) -> None:
    async with Household() as one, Household() as other:
        other.user = 778
        files = session(tmp_path / "one.session", one), session(tmp_path / "other.session", other, 778)
        async with desk(*files) as my:
            before = {name: (await my.accounts.of(name)).user for name in CHANNELS}
            assert min(Counter(before.values()).values()) >= 10
            assert {name: (await my.accounts.of(name.upper())).user for name in CHANNELS} == before
            assert (one.asked, other.asked) == ([], [])  # nobody connects before he is needed

            one.refuse("GetHistory", "AUTH_KEY_DUPLICATED")
            mine = await my.accounts.of(next(name for name, user in before.items() if user == 777))
            request = functions.messages.GetHistoryRequest(types.InputPeerEmpty(), 0, None, 0, 1, 0, 0, 0)
            with pytest.raises(AccountLost, match="two processes used the session at once"):
                await mine.call(request, source="s")
            assert {(await my.accounts.of(name)).user for name in CHANNELS} == {778}
            assert my.events("error") == ["telegram account lost"]
            assert my.metric("account_usable", account="one") == 0
            assert my.metric("account_usable", account="other") == 1


async def test_without_an_account_it_says_what_to_do(tmp_path: Path) -> None:
    async with desk() as my:
        with pytest.raises(
            AccountLost, match=r"telegram\.sessions names no account.*dateline login telegram"
        ):
            await my.accounts.of("wire")


async def test_files_that_cannot_be_used_are_told_once_each(tmp_path: Path) -> None:
    async with Household() as server:
        missing, open_to_all = tmp_path / "missing", session(tmp_path / "open.session", server)
        open_to_all.chmod(0o644)
        async with desk(missing, open_to_all) as my:
            for _ in range(3):
                with pytest.raises(
                    AccountLost, match=r"missing: cannot be read.*open\.session: has mode 0644"
                ):
                    await my.accounts.of("wire")
            assert my.events("error") == ["telegram session cannot be used"] * 2
            open_to_all.chmod(0o600)
            assert (await my.accounts.of("wire")).user == 777


@given(st.sets(st.integers(1, 10**12), min_size=2, max_size=8), st.text(min_size=1))
def test_when_one_goes_only_its_channels_move(users: set[int], name: str) -> None:
    before = chosen(name, dict.fromkeys(users))
    for gone in users - {before}:
        assert chosen(name, dict.fromkeys(users - {gone})) == before
