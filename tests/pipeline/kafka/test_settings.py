"""One config gives each process a user of its own."""

from pathlib import Path

from pydantic import SecretStr

from pipeline.kafka import KafkaSettings


def test_a_login_for_each_role(tmp_path: Path) -> None:
    for role in ("cluster", "operator"):
        (tmp_path / f"dateline-{role}").write_text(f"of {role} alone\n")
    settings = KafkaSettings(
        security_protocol="SASL_SSL",
        sasl_username="dateline-{role}",
        sasl_password_file=tmp_path / "dateline-{role}",
    )
    assert settings.user_per_role
    assert (settings.username, settings.password()) == ("dateline-operator", "of operator alone")
    mine = settings.of("cluster").model_copy(update={"bootstrap_servers": "elsewhere:1"})
    assert (mine.username, mine.password()) == ("dateline-cluster", "of cluster alone")
    assert mine.model_dump(exclude={"bootstrap_servers"}) == settings.model_dump(
        exclude={"bootstrap_servers"}
    )


def test_one_login_for_all() -> None:
    settings = KafkaSettings(
        security_protocol="SASL_SSL", sasl_username="dateline", sasl_password=SecretStr("hush")
    )
    assert not settings.user_per_role
    for role in ("ingest", "cluster"):
        assert (settings.of(role).username, settings.of(role).password()) == ("dateline", "hush")
    assert KafkaSettings().of("ingest").username is None
