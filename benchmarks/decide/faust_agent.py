"""The plain contestant: a Faust agent on the topics, one event at a time; what it publishes is not exactly once."""

from datetime import UTC, datetime, timedelta
from typing import Any

import faust

from connectors.kafka.control import read_whole
from connectors.redis.client import connect_async
from models.clock import WallClock
from models.core import step
from recoup.settings import Settings
from schemas.control import decode_tenant
from schemas.decode import Refusal, TopicDecoder
from schemas.registry import SOURCE_TOPICS
from streams.decide.intake import work_of

settings = Settings()
app = faust.App(
    "bench-faust",
    broker=f"kafka://{settings.kafka.bootstrap_servers}",
    store="memory://",
    web_enabled=False,
    topic_disable_leader=True,
    topic_allow_declare=False,
    datadir=str(settings.home / "bench-faust"),
)
tenants = {key.decode(): decode_tenant(value) for key, value in read_whole(settings.kafka, "tenants").items()}
decoders = {topic: TopicDecoder(topic) for topic in SOURCE_TOPICS}
clock = WallClock()
redis = connect_async(settings.redis)
outputs: dict[str, Any] = {}


@app.agent(app.topic(*SOURCE_TOPICS, key_serializer="raw", value_serializer="raw"))
async def decide(stream: Any) -> None:
    """Decode, read, step, write, send: for each event."""
    async for event in stream.events():
        latest = datetime.now(UTC) + timedelta(minutes=5)
        key = event.message.key
        decoded = decoders[event.message.topic](event.message.value, key, latest)
        assert not isinstance(decoded, Refusal)
        work = work_of(key, await redis.get(b"bench:" + key), [(decoded, 0)], clock.now())
        outcome = step([work], tenants, "live")
        await redis.set(b"bench:" + key, outcome.states[0][1])
        for topic, to, value in outcome.messages[0]:
            if topic not in outputs:
                outputs[topic] = app.topic(topic, key_serializer="raw", value_serializer="raw")
            await outputs[topic].send(key=to, value=value)
        await redis.incr("bench:faust")


if __name__ == "__main__":
    faust.Worker(app, loglevel="warning").execute_from_commandline()
