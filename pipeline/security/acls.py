"""Who may do what on the bus: the rights of every role, from the registry of topics. Pure.

A topic is named literally; groups and transactional ids by what they begin with. In Kafka's terms Read and
Write imply Describe, and a consumer's group needs Read.
"""

from collections.abc import Iterable
from typing import Final, Literal, NamedTuple, TypeAlias

from schemas.topics import TOPICS, Topic

INGEST: Final = "ingest"
OPERATOR: Final = "operator"
"""People at the command line, and the supervisor, which creates and verifies the topics."""
SUBSCRIBER: Final = "subscriber"
"""Whoever reads what we write."""
EVERY_STAGE: Final = "stages"
"""How the registry names all stages at once."""
OPERATES: Final = ("{prefix}control", "{prefix}dlq", "{prefix}reprocess")
"""The transactional ids of an operator's commands."""

Kind: TypeAlias = Literal["topic", "group", "transactional-id"]


class Grant(NamedTuple):
    """What one role may do with some resources of one kind.

    Attributes:
        operations: as Kafka names them.
        kind: of resource.
        names: with `{prefix}` in the place of the topics' prefix and `{user}` in that of the user's name.
        prefixed: whether everything that begins with a name is meant.
    """

    operations: tuple[str, ...]
    kind: Kind
    names: tuple[str, ...]
    prefixed: bool = False


def stages(topics: Iterable[Topic] = TOPICS) -> tuple[str, ...]:
    """Give the stages: every writer that is nobody else."""
    writers = dict.fromkeys(name for topic in topics for name in _writers(topic))
    return tuple(name for name in writers if name not in {INGEST, OPERATOR, EVERY_STAGE})


def roles(topics: Iterable[Topic] = TOPICS) -> tuple[str, ...]:
    """Give all roles; each is one user of Kafka, subscribers excepted, of whom there may be many."""
    return (INGEST, *stages(topics), OPERATOR, SUBSCRIBER)


def grants(role: str, topics: Iterable[Topic] = TOPICS) -> tuple[Grant, ...]:
    """Give everything that a role may do; what is not here is forbidden."""
    topics = tuple(topics)
    if role == SUBSCRIBER:
        public = (topic for topic in topics if topic.public)
        return (
            Grant(("Read",), "topic", _names(public)),
            Grant(("Read",), "group", ("{user}.",), prefixed=True),
        )
    known = {role, EVERY_STAGE} if role in stages(topics) else {role}
    reads = (topic for topic in topics if role == OPERATOR or known & set(topic.readers))
    writes = (topic for topic in topics if known & _writers(topic).keys())
    return (
        Grant(("Read",), "topic", _names(reads)),
        Grant(("Write",), "topic", _names(writes)),
        *(_operators(topics) if role == OPERATOR else _process(role)),
    )


def _process(role: str) -> tuple[Grant, ...]:
    """A process is a member of its group and opens producers whose ids end in a partition."""
    return (
        Grant(("Read",), "group", (f"{{prefix}}{role}",), prefixed=True),
        Grant(("Write",), "transactional-id", (f"{{prefix}}{role}.",), prefixed=True),
    )


def _operators(topics: Iterable[Topic]) -> tuple[Grant, ...]:
    """An operator creates and verifies the topics, sees how far each group is, and writes a little."""
    return (
        Grant(("Create", "DescribeConfigs"), "topic", _names(topics)),
        Grant(("Describe",), "group", ("{prefix}",), prefixed=True),
        Grant(("Write",), "transactional-id", OPERATES),
    )


def _names(topics: Iterable[Topic]) -> tuple[str, ...]:
    return tuple(topic.full("{prefix}") for topic in topics)


def _writers(topic: Topic) -> dict[str, None]:
    return dict.fromkeys(topic.writer.split(", "))
