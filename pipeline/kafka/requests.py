"""Requests that aiokafka 0.14 does not have, as Kafka's protocol guide has them.

OffsetFetch 7 (KIP-447) waits for an offset in a transaction that has not ended. aiokafka ends at version 3,
which answers with the offset before it. Who took over from there would decide once more what the
transaction holds: fencing aborts an open one, but one whose commit was accepted is completed by the broker
in its own time, and after a restart that can be late.

DescribeTransactions (KIP-664) says how the last transaction of an id ended.
"""

from typing import Any

from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import (
    Boolean,
    CompactArray,
    CompactString,
    Int16,
    Int32,
    Int64,
    Schema,
    TaggedFields,
)

OFFSET_FETCH, STABLE = 9, 7
"""The first version that knows `require_stable`; Kafka 2.5 and later have it."""
DESCRIBE_TRANSACTIONS = 65


class StableOffsetFetchResponse(Response):  # type: ignore[misc]  # aiokafka has no types for us
    """Offsets by topic and partition, each with the epoch of the leader that took it."""

    API_KEY = OFFSET_FETCH
    API_VERSION = STABLE
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "topics",
            CompactArray(
                ("topic", CompactString("utf-8")),
                (
                    "partitions",
                    CompactArray(
                        ("partition", Int32),
                        ("offset", Int64),
                        ("leader_epoch", Int32),
                        ("metadata", CompactString("utf-8")),
                        ("error_code", Int16),
                        ("tags", TaggedFields),
                    ),
                ),
                ("tags", TaggedFields),
            ),
        ),
        ("error_code", Int16),
        ("tags", TaggedFields),
    )


class StableOffsetFetchStruct(RequestStruct):  # type: ignore[misc]
    """The request on the wire."""

    FLEXIBLE_VERSION = True
    API_KEY = OFFSET_FETCH
    API_VERSION = STABLE
    RESPONSE_TYPE = StableOffsetFetchResponse
    SCHEMA = Schema(
        ("consumer_group", CompactString("utf-8")),
        (
            "topics",
            CompactArray(
                ("topic", CompactString("utf-8")),
                ("partitions", CompactArray(Int32)),
                ("tags", TaggedFields),
            ),
        ),
        ("require_stable", Boolean),
        ("tags", TaggedFields),
    )


class StableOffsetFetch(Request[StableOffsetFetchStruct]):  # type: ignore[misc]
    """Ask what a group committed.

    Args:
        group: its name.
        topics: with their partitions; none means all that the group committed.
        stable: refuse to answer for a partition whose offset is in a transaction that has not ended.
    """

    API_KEY = OFFSET_FETCH

    def __init__(self, group: str, topics: list[tuple[str, list[int]]] | None, *, stable: bool) -> None:
        self._group = group
        self._topics = topics
        self._stable = stable

    def build(self, request_struct_class: type[StableOffsetFetchStruct]) -> StableOffsetFetchStruct:
        """Give the request as it goes over the wire."""
        topics: list[Any] | None = None
        if self._topics is not None:
            topics = [(name, numbers, {}) for name, numbers in self._topics]
        return request_struct_class(self._group, topics, self._stable, {})


class DescribeTransactionsResponse(Response):  # type: ignore[misc]
    """How transactions stand."""

    API_KEY = DESCRIBE_TRANSACTIONS
    API_VERSION = 0
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "states",
            CompactArray(
                ("error_code", Int16),
                ("transactional_id", CompactString("utf-8")),
                ("state", CompactString("utf-8")),
                ("timeout_ms", Int32),
                ("start_ms", Int64),
                ("producer_id", Int64),
                ("producer_epoch", Int16),
                (
                    "topics",
                    CompactArray(
                        ("topic", CompactString("utf-8")),
                        ("partitions", CompactArray(Int32)),
                        ("tags", TaggedFields),
                    ),
                ),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class DescribeTransactionsStruct(RequestStruct):  # type: ignore[misc]
    """The request on the wire."""

    FLEXIBLE_VERSION = True
    API_KEY = DESCRIBE_TRANSACTIONS
    API_VERSION = 0
    RESPONSE_TYPE = DescribeTransactionsResponse
    SCHEMA = Schema(("transactional_ids", CompactArray(CompactString("utf-8"))), ("tags", TaggedFields))


class DescribeTransactions(Request[DescribeTransactionsStruct]):  # type: ignore[misc]
    """Ask how the last transaction of an id stands.

    Args:
        transactional_id: the id; its coordinator knows.
    """

    API_KEY = DESCRIBE_TRANSACTIONS

    def __init__(self, transactional_id: str) -> None:
        self._id = transactional_id

    def build(self, request_struct_class: type[DescribeTransactionsStruct]) -> DescribeTransactionsStruct:
        """Give the request as it goes over the wire."""
        return request_struct_class([self._id], {})
