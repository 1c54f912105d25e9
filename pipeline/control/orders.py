"""What control.v1 says, taken together. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, TypeAlias

from schemas.records import Control

CONFIG = "config"
"""Key of the one record that holds the config in force."""
SOURCE = "source/"
"""Begins the key of what is said of one source; the rest is its name."""
FORGOTTEN_AFTER = timedelta(days=30)
"""A removed source's checkpoint and memory are kept so long."""

Shared: TypeAlias = Mapping[str, Any]
"""The part of a config that concerns the whole prefix, as JSON has it."""


@dataclass(frozen=True, slots=True)
class Orders:
    """Everything that holds for all daemons of a prefix.

    Attributes:
        config: the record of the config in force; none: nothing was ever applied.
        sources: the record of each source of which there is something to say, by name.
    """

    config: Control | None = None
    sources: Mapping[str, Control] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def generation(self) -> int:
        """The config's; 0 while there is none."""
        return self.config.generation if self.config else 0

    @property
    def shared(self) -> Shared | None:
        """The config in force."""
        return self.config.config if self.config else None

    @property
    def paused(self) -> frozenset[str]:
        """The names of the sources that are to rest."""
        return frozenset(name for name, said in self.sources.items() if said.paused)

    def released(self, name: str, since: datetime) -> bool:
        """Say whether a source was let out of the quarantine that its checkpoint of that time tells of."""
        said = self.sources.get(name)
        return said is not None and said.released is not None and since <= said.released

    def former_unit(self, name: str) -> str | None:
        """Give the unit that ran a source before it was moved or removed; none if that never happened."""
        said = self.sources.get(name)
        return None if said is None or said.config is None else str(said.config.get("unit", "main"))

    def forgettable(self, now: datetime) -> Mapping[str, str]:
        """Give the sources whose checkpoint and memory are to go now, with the unit that ran them.

        One that came back under another name has left them to that.
        """
        heirs = {source.get("renamed_from") for source in sources_in(self.shared).values()}
        return {
            name: self.former_unit(name) or "main"
            for name, said in sorted(self.sources.items())
            if said.removed is not None and now - said.removed >= FORGOTTEN_AFTER and name not in heirs
        }


def heard(orders: Orders, key: str, value: Control | None) -> Orders:
    """Give the orders behind one more record; none as value is a tombstone."""
    if key == CONFIG:
        return replace(orders, config=value)
    if not key.startswith(SOURCE):
        return orders
    others = {name: said for name, said in orders.sources.items() if name != key.removeprefix(SOURCE)}
    if value is not None:
        others[key.removeprefix(SOURCE)] = value
    return replace(orders, sources=MappingProxyType(others))


def sources_in(shared: Shared | None) -> dict[str, Shared]:
    """Give the sources of a config by name."""
    rows: Sequence[Shared] = (shared or {}).get("sources", ())
    return {str(row["name"]): row for row in rows}
