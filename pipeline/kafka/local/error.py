"""The one exception of the local broker."""


class LocalKafkaError(Exception):
    """What went wrong and what to do about it, in words for the person at the terminal."""
