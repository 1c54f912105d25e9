"""When a connection that is there counts as blind; the time is a number."""

from connectors.telegram.api.watch import Watch


def watching() -> Watch:
    watch = Watch(patience=100)
    watch.connected(0)
    return watch


def test_quiet_is_not_blind() -> None:
    watch = watching()
    watch.pushed(1, 7, 10)
    watch.answered(500, 7, 10)
    assert watch.trouble(10_000) is None


def test_posts_that_only_asking_shows() -> None:
    watch = watching()
    watch.pushed(1, 7, 10)
    watch.answered(50, 7, 11)
    assert watch.trouble(150) is None
    assert "none was pushed" in (watch.trouble(151) or "")


def test_a_push_of_whatever_channel_says_that_it_sees() -> None:
    watch = watching()
    watch.pushed(1, 7, 10)
    watch.answered(50, 7, 11)
    watch.pushed(60, 8, 1)
    assert watch.trouble(10_000) is None


def test_a_channel_that_the_account_has_not_joined_is_never_pushed() -> None:
    watch = watching()
    watch.answered(50, 7, 11)
    watch.answered(60, 7, 12)
    assert watch.trouble(10_000) is None


def test_a_new_connection_begins_anew() -> None:
    watch = watching()
    watch.pushed(1, 7, 10)
    watch.answered(50, 7, 11)
    watch.connected(140)
    assert watch.trouble(200) is None
    watch.answered(210, 7, 11)  # the same post again is no sign against it
    assert watch.trouble(10_000) is None
    watch.answered(300, 7, 12)
    assert watch.trouble(401) is not None


def test_no_answer_to_anything() -> None:
    watch = watching()
    watch.asked(10)
    watch.asked(90)
    assert watch.trouble(110) is None
    assert "no answer" in (watch.trouble(111) or "")
    watch.answered(112)
    assert watch.trouble(1000) is None


def test_nobody_asked() -> None:
    assert watching().trouble(1e9) is None
