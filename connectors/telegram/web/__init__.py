"""A public channel through its page t.me/s/..., without an account."""

from connectors.telegram.web.block import PAGE_TYPE, normalise, post_of
from connectors.telegram.web.follow import Follow

__all__ = ["PAGE_TYPE", "Follow", "normalise", "post_of"]
