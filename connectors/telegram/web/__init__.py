"""A public channel through its page t.me/s/..., without an account."""

from connectors.telegram.web.block import PAGE_TYPE, normalise, post_of
from connectors.telegram.web.follow import BASE, Follow

__all__ = ["BASE", "PAGE_TYPE", "Follow", "normalise", "post_of"]
