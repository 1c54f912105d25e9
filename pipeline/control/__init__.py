"""One cluster of daemons: the config in force and the pauses on control.v1, and what follows from them.

Decisions are pure: `orders`, `changes`, `difference`, `settling`. `topic` reads and writes the topic, and
`following` keeps up with it.
"""
