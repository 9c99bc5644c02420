"""Settings that cannot be used are named by the variable that brought them, and never quoted."""

from pathlib import Path

import pytest

from recoup.settings import Settings
from schemas.errors import BadInput


@pytest.fixture(autouse=True)
def nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("RECOUP_HOME", str(tmp_path))


def test_a_value_of_the_wrong_kind_is_named_by_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECOUP_STREAMS__DECIDE__BATCH_SIZE", "many")
    monkeypatch.setenv("RECOUP_KAFKA__SECURITY_PROTOCOL", "PLAIN")
    with pytest.raises(BadInput) as refused:
        Settings()
    lines = str(refused.value).splitlines()
    assert any(line.strip().startswith("RECOUP_STREAMS__DECIDE__BATCH_SIZE:") for line in lines)
    assert any(line.strip().startswith("RECOUP_KAFKA__SECURITY_PROTOCOL:") and "SASL_SSL" in line for line in lines)


def test_a_misspelt_setting_is_not_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECOUP_KAFKA__BOOTSTRAP_SERVER", "127.0.0.1:9092")
    with pytest.raises(BadInput, match="RECOUP_KAFKA__BOOTSTRAP_SERVER: "):
        Settings()


def test_what_was_given_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECOUP_REDIS", "secret-of-redis")
    monkeypatch.setenv("RECOUP_CLICKHOUSE__PASWORD", "secret-of-clickhouse")
    with pytest.raises(BadInput) as refused:
        Settings()
    assert "secret-of" not in str(refused.value)


def test_a_url_of_redis_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECOUP_REDIS__URL", "127.0.0.1:6379")
    with pytest.raises(BadInput, match=r"RECOUP_REDIS__URL: .*rediss\?:"):
        Settings()
