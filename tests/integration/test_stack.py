"""The local stack starts, is found again, survives crashes and says what is wrong."""

from recoup.settings import Settings
from recoup.stack.stack import Stack


def test_every_part_answers(stack: Stack, settings: Settings) -> None:
    assert {part.name: part.state for part in stack.status()} == {
        "kafka": "running",
        "redis": "running",
        "clickhouse": "running",
    }
    assert settings.kafka.bootstrap_servers.startswith("127.0.0.1:")
    assert settings.redis.url.startswith("redis://127.0.0.1:")
    assert settings.clickhouse.url.startswith("http://127.0.0.1:")
