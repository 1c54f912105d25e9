"""`dateline`, with one kind of connector more: the radio."""

from unittest.mock import patch

from connectors import registry
from connectors.registry import Kind
from pipeline.cli import main as dateline
from tests.outage.radio import KIND, Listener, RadioConfig


def main() -> None:
    """Put the radio into the registry, then be `dateline`."""
    patch.dict(registry.KINDS, {KIND: Kind(RadioConfig, Listener)}).start()
    dateline()


if __name__ == "__main__":
    main()
