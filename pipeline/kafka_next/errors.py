"""What can go wrong with Kafka, as four named errors; each message says what to do."""


class KafkaProblem(Exception):
    """Anything that keeps us from reading or writing Kafka."""


class Unreachable(KafkaProblem):
    """No broker answered in time, or the one that must answer. Nothing was committed by the call."""


class Fenced(KafkaProblem):
    """The broker no longer accepts this producer, and nothing was committed.

    A newer one has its transactional id, or its transaction took too long. Close it, open a new one, and read
    where things stand.
    """


class OutcomeUnknown(KafkaProblem):
    """The commit was sent and its answer never came.

    Close the producer, open a new one, and read where things stand: opening it decides the transaction, one
    way or the other.
    """


class Refused(KafkaProblem):
    """The broker said no, and asking again will not help: a login, a size, a missing topic or right."""
