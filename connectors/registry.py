"""The kinds of connectors there are: one line for each."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from connectors.recording import Recording, RecordingConfig
from connectors.seam import Connector, SourceConfig


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of connector: its settings and what is made of them."""

    config: type[SourceConfig]
    connector: Callable[[Any], Connector]


KINDS: Mapping[str, Kind] = {
    "recording": Kind(RecordingConfig, Recording),
}
