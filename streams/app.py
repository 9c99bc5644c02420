"""The Faust app that every job is: its web views, its control topics, and an end with a non-zero code when it fails."""

import json
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import faust
import prometheus_client
from faust.tables.manager import TableManager
from faust.web import Request, Response, View
from mode.supervisors import CrashingSupervisor

from models.clock import Clock, Instant
from schemas.control import Tenant, decode_tenant
from streams import metrics
from streams.channel import BatchChannel
from streams.settings import Installation
from streams.source import BatchSource

TENANTS = "tenants"


class NoTables(TableManager):
    """No job keeps a table in Faust. Its own manager waits a second for them at every start."""

    async def on_start(self) -> None:
        """Let the agents begin."""
        await self._update_channels()
        await self.recovery.start()


def create_app(job: str, slot: int, installation: Installation, web_port: int) -> faust.App:
    """A Faust app of one worker.

    Its id is that of the slot, so that each worker reads the control topics whole, in a group of its own; the account
    topics are read by `BatchSource` in the job's group.
    """
    kafka = installation.kafka
    name = f"recoup-{job}-{slot}"
    return faust.App(
        name,
        broker=[f"kafka://{server}" for server in kafka.bootstrap_servers.split(",")],
        broker_credentials=_credentials(installation),
        store="memory://",
        datadir=str(_folder(installation.home, name)),
        topic_disable_leader=True,
        topic_allow_declare=False,
        broker_session_timeout=installation.streams.session_timeout_seconds,
        broker_heartbeat_interval=installation.streams.session_timeout_seconds / 5,
        broker_request_timeout=60.0,
        # Static, so that a worker that was killed does not wait for its own ghost to time out.
        consumer_group_instance_id=name,
        # Part of the member's metadata, which a static member must find unchanged; the web port is another each time.
        canonical_url=f"http://{name}",
        stream_wait_empty=False,
        TableManager=NoTables,
        web_bind=installation.streams.web_bind,
        web_host="127.0.0.1",
        web_port=web_port,
    )


def follow_tenants(app: faust.App, tenants: dict[str, Tenant]) -> None:
    """Take each change of a tenant as it comes; `tenants` is what decisions read."""
    topic = app.topic(TENANTS, value_serializer="raw", key_serializer="raw", internal=False)

    @app.agent(topic, name="tenants")
    async def take_change(stream: Any) -> None:
        async for key, value in stream.items():
            take(tenants, key, value)


def take(tenants: dict[str, Tenant], key: bytes, value: bytes | None) -> None:
    """Fold one message of the tenants topic; an empty one removes the tenant."""
    if value:
        tenants[key.decode()] = decode_tenant(value)
    else:
        tenants.pop(key.decode(), None)


def serve_health(
    app: faust.App, job: str, source: BatchSource, clock: Clock, taken: Callable[[], Instant | None] = lambda: None
) -> None:
    """`/ready`: 200 while the job makes progress, 503 while it cannot; `/metrics` for Prometheus.

    Args:
        taken: when the oldest message arrived that the job has taken from its source and has not dealt with.
    """

    def lag_seconds() -> float:
        waiting = [at for at in (source.flights.oldest, taken()) if at is not None]
        return max(0, clock.now() - min(waiting)) / 1000 if waiting else 0.0

    metrics.LAG_SECONDS.labels(job).set_function(lag_seconds)

    @app.page("/ready")
    async def ready(web: View, _request: Request) -> Response:
        health = source.health()
        return web.json({"job": job, **health}, status=200 if health["ready"] else 503)

    @app.page("/metrics")
    async def show_metrics(web: View, _request: Request) -> Response:
        return web.bytes(prometheus_client.generate_latest(), content_type="text/plain")


def crashing_agent(app: faust.App, channel: BatchChannel, name: str) -> Any:
    """`@crashing_agent(...)`: one agent, one batch at a time; an exception ends the worker instead of the next batch."""
    return app.agent(channel, name=name, concurrency=1, supervisor_strategy=CrashingSupervisor)


def record_running(home: Path, job: str, slot: int, pid: int, web_port: int) -> Path:
    """Tell other commands where this worker is."""
    path = Path(home) / "run" / f"worker-{job}-{slot}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"pid": pid, "web": f"http://127.0.0.1:{web_port}"}))
    return path


def _credentials(installation: Installation) -> Any:
    kafka = installation.kafka
    if kafka.security_protocol == "PLAINTEXT":
        return None
    context = None
    if kafka.security_protocol in ("SSL", "SASL_SSL"):
        context = ssl.create_default_context(cafile=kafka.ssl_ca_location)
        if kafka.ssl_certificate_location:
            password = kafka.ssl_key_password.get_secret_value() if kafka.ssl_key_password else None
            context.load_cert_chain(kafka.ssl_certificate_location, kafka.ssl_key_location, password)
    if kafka.security_protocol == "SSL":
        return faust.SSLCredentials(context)
    return faust.SASLCredentials(
        username=kafka.sasl_username,
        password=kafka.sasl_password.get_secret_value() if kafka.sasl_password else None,
        ssl_context=context,
        mechanism=kafka.sasl_mechanism,
    )


def _folder(home: Path, name: str) -> Path:
    folder = Path(home) / "faust" / name
    folder.parent.mkdir(parents=True, exist_ok=True)
    return folder
