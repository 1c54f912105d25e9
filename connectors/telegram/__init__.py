"""Public Telegram channels, through the API or through their pages."""

from connectors.telegram.config import TelegramConfig
from connectors.telegram.connector import Telegram, TelegramShared

__all__ = ["Telegram", "TelegramConfig", "TelegramShared"]
