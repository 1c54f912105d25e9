"""`dateline`, whose recordings are on air: they wait for nobody."""

from unittest.mock import patch

from connectors import registry
from connectors.registry import Kind
from pipeline.cli import main as dateline
from pipeline.daemon import supervise
from tests.takeover.wire import Wire, WireConfig

PROGRAM = "tests.takeover.child"


def main() -> None:
    """Put the wire in the recording's place, then be `dateline`."""
    patch.dict(registry.KINDS, {"recording": Kind(WireConfig, Wire)}).start()
    patch.object(supervise, "PROGRAM", PROGRAM).start()
    dateline()


if __name__ == "__main__":
    main()
