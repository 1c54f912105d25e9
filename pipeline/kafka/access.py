"""How a connection is secured, and what it means when that fails."""

import ssl
from asyncio import IncompleteReadError
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from aiokafka.errors import (
    IllegalSaslStateError,
    KafkaConnectionError,
    SaslAuthenticationFailed,
    UnsupportedSaslMechanismError,
)

from pipeline.kafka.errors import Refused
from pipeline.kafka.settings import KafkaSettings

NEVER_MS: Final = 3_600_000
"""aiokafka's own timeout, which must never be the first to end a request."""

NOT_IN_TIME: Final = frozenset({9, 10})
OTHER_NAME: Final = frozenset({62, 64})
"""OpenSSL's reasons not to trust a certificate: not yet or no longer valid; made for another host or address.
All others say that nobody we know has signed it."""

TLS_ALERT: Final = 0x1503
"""How a TLS server's complaint begins: where Kafka's own protocol has the length of an answer."""


def access(settings: KafkaSettings) -> dict[str, Any]:
    """Give what aiokafka wants to know of a connection besides host and port.

    Raises:
        Refused: a file that the settings name cannot be used.
    """
    with _usable("sasl_password_file", settings.sasl_password_file):
        password = settings.password()
    secured = settings.security_protocol.endswith("SSL")
    return {
        "client_id": "dateline",
        "request_timeout_ms": NEVER_MS,
        "security_protocol": settings.security_protocol,
        "ssl_context": _context(settings) if secured else None,
        "sasl_mechanism": settings.sasl_mechanism,
        "sasl_plain_username": settings.username,
        "sasl_plain_password": password,
    }


def meaning(problem: Exception, broker: str, settings: KafkaSettings) -> Refused | OSError | None:
    """Say in words why a connection did not come about, and what to do.

    Args:
        problem: what aiokafka raised.
        broker: its host:port.
        settings: by which we went there.

    Returns:
        Refused where another attempt cannot help; none where the problem says everything itself.
    """
    if isinstance(problem, ssl.SSLCertVerificationError):
        return Refused(f"{broker}: {_distrust(problem)}")
    if isinstance(problem, SaslAuthenticationFailed):
        return Refused(
            f"{broker} refused the login of {settings.username}: {problem.args[0]}. "
            "Mend kafka.sasl_username or its password"
        )
    if isinstance(problem, UnsupportedSaslMechanismError):
        return Refused(f"{broker} knows no {settings.sasl_mechanism}: mend kafka.sasl_mechanism")
    if isinstance(problem, IllegalSaslStateError):
        return Refused(f"{broker} wants no login: mend kafka.security_protocol, or name its other port")
    return _cut(problem, broker, settings)


def _cut(problem: Exception, broker: str, settings: KafkaSettings) -> Refused | OSError | None:
    """Say what may be behind a connection that was made and then ended."""
    cause = problem.__cause__ or problem
    reason = getattr(cause, "reason", None) or ""
    secured = settings.security_protocol.endswith("SSL")
    if "CERTIFICATE_REQUIRED" in reason:
        return Refused(f"{broker} wants to see a certificate of ours: name it in kafka.ssl_certfile")
    if isinstance(cause, IncompleteReadError) and (cause.expected or 0) >> 16 == TLS_ALERT:
        return Refused(
            f"{broker} speaks TLS, kafka.security_protocol is {settings.security_protocol}: "
            "make that SASL_SSL or SSL, or name its other port"
        )
    if secured and isinstance(problem, ssl.SSLError | ConnectionResetError | KafkaConnectionError):
        return ConnectionError(f"{broker} ended the TLS handshake: does it speak TLS? {reason}".rstrip())
    return None


def _distrust(problem: ssl.SSLCertVerificationError) -> str:
    why = problem.verify_message
    if problem.verify_code in NOT_IN_TIME:
        return f"its certificate is not valid now: {why}. Renew it there, or set the clock here"
    if problem.verify_code in OTHER_NAME:
        return (
            f"its certificate is for another host: {why} Write the name that it has in "
            "kafka.bootstrap_servers and the broker's advertised.listeners, or have it made for this one"
        )
    return (
        f"its certificate is signed by nobody that we trust: {why}. "
        "Name the file of the authority that signed it in kafka.ssl_cafile"
    )


def _context(settings: KafkaSettings) -> ssl.SSLContext:
    with _usable("ssl_cafile", settings.ssl_cafile):
        context = ssl.create_default_context(cafile=settings.ssl_cafile)
    if settings.ssl_certfile is not None:
        with _usable("ssl_certfile or ssl_keyfile", settings.ssl_certfile):
            # An empty passphrase, or else OpenSSL would ask for one on the terminal.
            context.load_cert_chain(settings.ssl_certfile, settings.ssl_keyfile, "")
    return context


@contextmanager
def _usable(setting: str, file: object) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError) as problem:
        place, why = getattr(problem, "filename", None) or file, getattr(problem, "strerror", None) or problem
        raise Refused(
            f"kafka.{setting}: {place} cannot be used: {why}. Correct the path or file"
        ) from problem
