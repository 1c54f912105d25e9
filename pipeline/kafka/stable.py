"""OffsetFetch as KIP-447 has it: an offset in a transaction that has not ended is waited for.

aiokafka 0.14 ends at version 3, which answers with the offset before such a transaction. Who took over
from there would decide once more what the transaction holds: fencing aborts an open one, but one
whose commit was accepted is completed by the broker in its own time, and after a restart that can be late.
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

OFFSET_FETCH = 9
VERSION = 7
"""The first that knows `require_stable`; Kafka 2.5 and later have it."""


class StableOffsetFetchResponse(Response):  # type: ignore[misc]  # aiokafka has no types for us
    """Offsets by topic and partition, each with the epoch of the leader that took it."""

    API_KEY = OFFSET_FETCH
    API_VERSION = VERSION
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
    API_VERSION = VERSION
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
