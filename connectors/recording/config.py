"""The settings of a recording."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from connectors.seam import SourceConfig


class RecordingConfig(SourceConfig):
    """A file of observations in JSON Lines, plain or gzip (docs/recordings.md)."""

    kind: Literal["recording"] = "recording"
    path: Path = Field(description="the file; a name that ends in .gz is unpacked")
    speed: Literal["max", "real"] = Field("max", description="as fast as possible, or in the recorded rhythm")
