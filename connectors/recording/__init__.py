"""Recordings: observations written down as JSON Lines, played back as a source."""

from connectors.recording.connector import Recording
from connectors.recording.config import RecordingConfig

__all__ = ["Recording", "RecordingConfig"]
