"""What we say: every message on every topic, and how a raw time becomes a `Stamp`."""
