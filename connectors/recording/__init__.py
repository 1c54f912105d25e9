"""Recordings: observations written down as JSON Lines, played back as a source."""

from connectors.recording.config import RecordingConfig
from connectors.recording.connector import Recording

__all__ = ["Recording", "RecordingConfig"]
