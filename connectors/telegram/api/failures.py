"""What went wrong with a request, in the four kinds that matter to who asked. Pure."""

from telethon import errors
from telethon.errors import RPCError

from connectors.seam import SourceFailed
from connectors.telegram.api.lending import AccountLost, Barred, Flooded, Unanswered

BARRED = (
    errors.ChannelPrivateError,
    errors.ChannelInvalidError,
    errors.ChannelBannedError,
    errors.ChannelPublicGroupNaError,
    errors.ChatForbiddenError,
    errors.PeerIdInvalidError,
    errors.UsernameInvalidError,
    errors.UsernameNotOccupiedError,
)
"""It is about this channel: others can be followed."""
LOST = (errors.UnauthorizedError, errors.AuthKeyDuplicatedError)
"""It is about this account: the session is dead, whatever is asked."""
AGAIN = "log in anew with: dateline login telegram"

_MEANT = {
    "AUTH_KEY_DUPLICATED": "two processes used the session at once, and Telegram ended it for both",
    "AUTH_KEY_UNREGISTERED": "Telegram does not know the session any more",
    "SESSION_REVOKED": "the login was ended from another device",
    "SESSION_EXPIRED": "the login has expired",
    "USER_DEACTIVATED": "the account was deleted",
    "USER_DEACTIVATED_BAN": "Telegram has banned the account",
    "CHANNEL_PRIVATE": "the channel is private, or has banned this account",
    "CHANNEL_INVALID": "there is no such channel for this account",
    "USERNAME_NOT_OCCUPIED": "nobody has this name; correct `channel`",
    "USERNAME_INVALID": "it is no possible name; correct `channel`",
}


def failure_of(problem: Exception, asked: str) -> SourceFailed:
    """Give what a failed request comes to; the caller makes `problem` its cause.

    Args:
        problem: that was raised.
        asked: what was asked, for the message.
    """
    seconds = getattr(problem, "seconds", None)
    if isinstance(problem, errors.FloodError) and seconds is not None:
        return Flooded(f"{asked}: Telegram wants us to wait {seconds} s", float(seconds))
    if isinstance(problem, LOST):
        return AccountLost(f"{said(problem)}; {AGAIN}")
    if isinstance(problem, BARRED):
        return Barred(f"{asked}: {said(problem)}")
    return Unanswered(f"{asked}: {said(problem)}")


def said(problem: BaseException) -> str:
    """Give what happened, in Telegram's word and in ours."""
    if isinstance(problem, TimeoutError):
        return "no answer in time"
    if isinstance(problem, RPCError):
        word = _word_of(problem) or str(problem.message or type(problem).__name__)
        meant = _MEANT.get(word)
        return f"{word} ({meant})" if meant else word
    if isinstance(problem, errors.AuthKeyNotFound):
        return "Telegram does not know the session's key"
    return f"{type(problem).__name__}: {problem!s:.200}".removesuffix(": ")


def _word_of(problem: RPCError) -> str:
    """Give Telegram's own word for an error; telethon puts a sentence in its place."""
    found = (word for word, kind in errors.rpc_errors_dict.items() if kind is type(problem))
    return next(found, "")
