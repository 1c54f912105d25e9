"""Ask a broker whether it is there: one request over one socket, so that a start waits for no event loop."""

import socket
from typing import NamedTuple

from aiokafka.protocol.metadata import MetadataRequest_v2

from pipeline.kafka.local.layout import HOST

ANSWER_SECONDS = 2.0
CLIENT_ID = "dateline-local"


class Answer(NamedTuple):
    """Whom a broker counts as members of its cluster, as (node id, port)."""

    cluster_id: str
    members: frozenset[tuple[int, int]]


def ask(port: int) -> Answer | None:
    """Return the broker's answer to a metadata request, or None when nobody answers (in time, or at all)."""
    request = MetadataRequest_v2([])
    body = request.build_request_header(1, CLIENT_ID).encode() + request.encode()
    try:
        with socket.create_connection((HOST, port), timeout=ANSWER_SECONDS) as connection:
            connection.sendall(len(body).to_bytes(4, "big") + body)
            with connection.makefile("rb") as stream:
                reply = stream.read(int.from_bytes(stream.read(4), "big"))
        response = MetadataRequest_v2.RESPONSE_TYPE.decode(reply[4:])
    except (OSError, ValueError):
        return None
    return Answer(response.cluster_id, frozenset((number, port) for number, _, port, _ in response.brokers))


def is_free(port: int) -> bool:
    """Whether a server could listen on this port of the loopback address now."""
    with socket.socket() as probe:
        # As the broker does: a connection of its last life (TIME_WAIT) is no obstacle.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True
