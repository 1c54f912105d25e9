"""Public Telegram channels, through the API or through their pages."""
