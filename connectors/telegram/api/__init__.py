"""Telegram through its API, with an account."""
