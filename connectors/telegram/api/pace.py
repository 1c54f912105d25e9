"""How long an account's connection waits for what."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pace:
    """How long the connection waits for what, in seconds.

    Attributes:
        first: before the second attempt to connect; each further one waits twice as long.
        longest: but no longer than this.
        settled: a connection that held so long counts as a good one, and the waiting begins anew.
        idle: it ends when nobody has needed it for so long.
        look: between two looks at whether it brings what it should.
        clock: between two comparisons of clocks.
        unknown: a key that the server says it does not know may be known again so much later.
    """

    first: float = 1.0
    longest: float = 60.0
    settled: float = 60.0
    idle: float = 10.0
    look: float = 5.0
    clock: float = 600.0
    unknown: float = 600.0
