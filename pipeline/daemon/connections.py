"""The connectors of one process, and what those of a kind share."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pydantic import BaseModel

from connectors.registry import KINDS
from connectors.seam import Connector, Lent, SourceConfig


class Connections:
    """Makes the connectors of one process, and what those of a kind share.

    Args:
        lent: what the process lends them.
        hosts: what the config of this machine says for a kind, by its name.
    """

    def __init__(self, lent: Lent, hosts: Mapping[str, BaseModel] | None = None) -> None:
        self._lent = lent
        self._hosts = hosts or {}
        self._shared: dict[str, Any] = {}

    def connector(self, config: SourceConfig) -> Connector:
        """Make the connector of a source."""
        kind = KINDS[config.kind]
        if kind.shared is None:
            return kind.connector(config)
        if config.kind not in self._shared:
            self._shared[config.kind] = kind.shared(replace(self._lent, host=self._hosts.get(config.kind)))
        return kind.connector(config, self._shared[config.kind])

    async def close(self) -> None:
        """Let go of what was shared."""
        for shared in self._shared.values():
            await shared.close()
