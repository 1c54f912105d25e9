"""The kinds of connectors there are: one line for each."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.recording import Recording, RecordingConfig
from connectors.seam import Connector, Lent, Shared, SourceConfig
from connectors.telegram import Telegram, TelegramConfig, TelegramShared, cautions


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of connector.

    Attributes:
        config: its settings.
        connector: makes a connector of them; of what its sources share, too, where there is such.
        shared: makes what all sources of the kind share in a process.
        cautions: says what this machine lacks for sources of the kind, by what its config says for the kind.
    """

    config: type[SourceConfig]
    connector: Callable[..., Connector]
    shared: Callable[[Lent], Shared] | None = None
    cautions: Callable[[Sequence[SourceConfig], Any], Iterable[str]] | None = None


KINDS: Mapping[str, Kind] = {
    "recording": Kind(RecordingConfig, Recording),
    "telegram": Kind(TelegramConfig, Telegram, TelegramShared, cautions),
}
