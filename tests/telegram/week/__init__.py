"""A week of many channels in minutes: what comes of it through Dateline, and through plain telethon."""
