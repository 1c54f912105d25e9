"""What the error codes in a broker's answers mean for us.

Source: Apache Kafka's protocol guide, "Error codes".
"""

from typing import Final

from aiokafka.errors import for_code

from pipeline.kafka.errors import Fenced, Refused

OK: Final = 0
OFFSET_OUT_OF_RANGE: Final = 1
UNKNOWN_TOPIC_OR_PARTITION: Final = 3
MESSAGE_TOO_LARGE: Final = 10
ILLEGAL_GENERATION: Final = 22
UNKNOWN_MEMBER_ID: Final = 25
REBALANCE_IN_PROGRESS: Final = 27
TOPIC_ALREADY_EXISTS: Final = 36
OPERATION_NOT_ATTEMPTED: Final = 55
NON_EMPTY_GROUP: Final = 68
GROUP_ID_NOT_FOUND: Final = 69
MEMBER_ID_REQUIRED: Final = 79
TRANSACTIONAL_ID_NOT_FOUND: Final = 105

_MOVED: Final = {
    UNKNOWN_TOPIC_OR_PARTITION: "the topic is not there",
    5: "the partition has no leader yet",
    6: "the partition's leader moved",
    7: "the broker's own deadline passed",
    9: "the replica is not available",
    15: "the coordinator is not available",
    16: "the coordinator moved",
    41: "the controller moved",
    56: "the broker's disk failed",
}
"""A later attempt may succeed, perhaps at another broker."""

_LATER: Final = {
    14: "the coordinator is still loading",
    19: "not enough replicas, or the broker is still verifying the transaction",
    20: "not enough replicas",
    51: "the last transaction is still being completed",
    88: "an offset is in a transaction that is still being completed",
}
"""A later attempt at the same broker may succeed."""

_FENCED: Final = {
    45: "out of order sequence number",
    47: "invalid producer epoch",
    48: "invalid transaction state",
    49: "unknown producer id",
    59: "unknown producer id",
    90: "producer fenced",
}
"""The broker no longer accepts the producer."""

_FORBIDDEN: Final = {29: "topic", 30: "group", 31: "cluster", 53: "transactional id"}
"""The user lacks a right; to what kind of thing."""


class Again(Exception):
    """An attempt failed in a way that a later one may cure.

    Attributes:
        moved: what we know about brokers may be out of date.
        code: the broker's error code, where there is one.
    """

    def __init__(self, cause: str, *, moved: bool = True, code: int | None = None) -> None:
        super().__init__(cause)
        self.moved = moved
        self.code = code


def check(code: int, about: str, right: str | None = None) -> None:
    """Judge an error code of an answer.

    Args:
        code: the broker's.
        about: what was tried.
        right: what a user must be allowed for that, such as "Read on topic items.v1".

    Raises:
        Again: a later attempt may succeed.
        Fenced: the producer is no longer accepted.
        Refused: asking again will not help.
    """
    if code == OK:
        return
    if code in _MOVED:
        raise Again(f"{about}: {_MOVED[code]}", code=code)
    if code in _LATER:
        raise Again(f"{about}: {_LATER[code]}", moved=False, code=code)
    if code in _FENCED:
        raise Fenced(
            f"{about}: the broker no longer accepts this producer ({_FENCED[code]}). Another process has its "
            "transactional id, or its transaction took longer than transaction_timeout_ms. Close it, open a "
            "new one, and read where things stand"
        )
    if code in _FORBIDDEN:
        missing = right or f"to this {_FORBIDDEN[code]}"
        raise Refused(f"{about}: the user lacks the right {missing}. deploy/acls.sh gives a role its rights")
    kind = for_code(code)
    told = "" if kind.__name__ == "UnknownError" else f" {kind.__name__.removesuffix('Error')}"
    raise Refused(f"{about}: the broker refused: error{told} {code}, see Kafka's protocol guide")
