"""Public Telegram channels, through the API or through their pages."""

from connectors.telegram.cautions import cautions
from connectors.telegram.config import TelegramConfig
from connectors.telegram.connector import Telegram, TelegramShared
from connectors.telegram.host import TelegramHost

__all__ = ["Telegram", "TelegramConfig", "TelegramHost", "TelegramShared", "cautions"]
