"""What a process says of its parts."""

from pipeline.observe.health import Health


def test_a_part_that_is_asked_is_heard_at_every_look() -> None:
    health, why = Health(), ["", "no word from Kafka for 5 s"]
    health.set("ingest", ready=True, note="runs its units")
    health.ask("group", lambda: why[0] or None)
    before = health.ready
    why.reverse()
    assert (before, health.ready) == (True, False)
    assert health.parts["group"].note == "no word from Kafka for 5 s"
    health.forget("group")
    assert health.parts.keys() == {"ingest"}
