"""The local stack starts, is found again, survives crashes and says what is wrong."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import redis
from pydantic import SecretStr

from connectors.kafka import clients
from connectors.kafka.settings import KafkaSettings
from connectors.redis.client import connect
from connectors.redis.settings import RedisSettings
from recoup.settings import Settings
from recoup.stack import layout
from recoup.stack.process import Process
from recoup.stack.runner import free_port
from recoup.stack.settings import StackSettings
from recoup.stack.stack import Stack
from schemas.errors import NotReady
from tests.conftest import running_stack

PARTS = ("kafka", "redis", "clickhouse")


def until(condition: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def states(stack: Stack) -> dict[str, str]:
    return {part.name: part.state for part in stack.status()}


def pids(stack: Stack) -> dict[str, int]:
    return {part.name: part.pid for part in stack.status() if part.pid}


def process_of(stack: Stack, part: str) -> Process:
    process = stack.runners[part].process()
    assert process is not None
    return process


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack of one's own, because its parts are killed here."""
    yield from running_stack(tmp_path_factory.mktemp("own"))


def recoup(home: Path, *arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    """Run the command line as a user would."""
    return subprocess.run(  # noqa: S603
        [sys.executable, "-m", "recoup.cli.main", *arguments],
        env=os.environ | {"RECOUP_HOME": str(home)} | variables,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_every_part_answers(stack: Stack, settings: Settings) -> None:
    assert states(stack) == dict.fromkeys(PARTS, "running")
    assert settings.kafka.bootstrap_servers.startswith("127.0.0.1:")
    assert settings.redis.url.startswith("redis://127.0.0.1:")
    assert settings.clickhouse.url.startswith("http://127.0.0.1:")


def test_kafka_is_ready_for_groups_and_transactions_and_makes_no_topic_by_itself(settings: Settings) -> None:
    topics = clients.admin(settings.kafka).list_topics(timeout=10).topics
    assert {"__consumer_offsets", "__transaction_state"} <= topics.keys()
    producer = clients.producer(settings.kafka, topic_metadata_propagation_max_ms=200)
    failures: list[Any] = []
    producer.produce("no-such-topic", b"x", on_delivery=lambda error, _: failures.append(error))
    producer.flush(30)
    assert failures[0] is not None
    assert "no-such-topic" not in clients.admin(settings.kafka).list_topics(timeout=10).topics


def test_redis_keeps_every_acknowledged_write(settings: Settings) -> None:
    with redis.Redis.from_url(settings.redis.url) as client:
        wanted = {"appendonly": "yes", "appendfsync": "always", "maxmemory-policy": "noeviction"}
        found = {name: client.config_get(name)[name] for name in wanted}
        assert found == wanted


def test_all_listen_on_the_loopback_address_only(stack: Stack) -> None:
    for pid in pids(stack).values():
        listening = [c.laddr.ip for c in psutil.Process(pid).net_connections("tcp") if c.status == psutil.CONN_LISTEN]
        assert listening
        assert {address.removeprefix("::ffff:") for address in listening} == {"127.0.0.1"}


def test_clickhouse_gives_way_to_the_servers_that_somebody_waits_for(stack: Stack) -> None:
    niceness = {name: psutil.Process(pid).nice() for name, pid in pids(stack).items()}
    assert niceness["clickhouse"] > niceness["kafka"] == niceness["redis"]
    group = Path(f"/proc/{pids(stack)['clickhouse']}/autogroup")
    if group.exists():
        assert group.read_text().split()[-1] == str(niceness["clickhouse"])


def test_a_second_up_finds_the_first(own: Stack) -> None:
    before = pids(own)
    endpoints = Stack(own.home).up()
    assert pids(own) == before
    assert json.loads((own.home / "endpoints.json").read_text()) == {
        "kafka": endpoints.kafka, "redis": endpoints.redis, "clickhouse": endpoints.clickhouse,
    }  # fmt: skip


def test_two_ups_at_once_start_one_stack(own: Stack) -> None:
    own.down()
    ups = [threading.Thread(target=Stack(own.home).up) for _ in range(2)]
    for thread in ups:
        thread.start()
    for thread in ups:
        thread.join()
    assert states(own) == dict.fromkeys(PARTS, "running")
    mine = set(pids(own).values())
    for runner in own.runners.values():
        from recoup.stack.runner import strays  # noqa: PLC0415

        assert {stray.pid for stray in strays(runner.part)} <= mine


def test_a_crash_is_said_and_up_mends_only_that_part_with_its_data(own: Stack) -> None:
    settings = Settings(home=own.home)
    with redis.Redis.from_url(settings.redis.url) as client:
        client.set("kept", b"yes")
        before, addresses = pids(own), {part.name: part.address for part in own.status()}
        process_of(own, "redis").kill()
        until(lambda: not process_of(own, "redis").alive())
        crashed = next(part for part in own.status() if part.name == "redis")
        assert crashed.state == "crashed"
        assert "recoup up" in str(crashed.detail)
        assert any("Ready to accept connections" in line for line in crashed.last_lines)
        said: list[tuple[str, str]] = []
        own.up(lambda part, what: said.append((part, what)))
        assert any(part == "redis" and "had crashed" in what for part, what in said)
        assert {part.name: part.address for part in own.status()} == addresses
        after = pids(own)
        assert after["redis"] != before["redis"]
        assert {name: after[name] for name in ("kafka", "clickhouse")} == {
            name: before[name] for name in ("kafka", "clickhouse")
        }
        assert client.get("kept") == b"yes"


def test_a_killed_broker_comes_back_with_its_messages_and_offsets(own: Stack) -> None:
    settings = Settings(home=own.home).kafka
    from confluent_kafka import TopicPartition  # noqa: PLC0415
    from confluent_kafka.cimpl import NewTopic  # noqa: PLC0415

    admin = clients.admin(settings)
    admin.create_topics([NewTopic("survives", 1, 1)])["survives"].result(30)
    producer = clients.producer(settings)
    for number in range(100):
        producer.produce("survives", str(number).encode())
    assert producer.flush(30) == 0
    consumer = clients.consumer(settings, "survivors")
    consumer.commit(offsets=[TopicPartition("survives", 0, 42)], asynchronous=False)
    consumer.close()
    process_of(own, "kafka").kill()
    own.up()
    reader = clients.consumer(settings, "survivors")
    assert reader.committed([TopicPartition("survives", 0)], 30)[0].offset == 42
    assert reader.get_watermark_offsets(TopicPartition("survives", 0), 30) == (0, 100)
    reader.close()


def test_pid_and_lock_files_of_a_kill_are_survived(own: Stack) -> None:
    """As after a power cut: every process is gone, every file is still there, and one pid belongs to somebody else now."""
    for part in PARTS:
        process_of(own, part).kill()
    until(lambda: set(states(own).values()) == {"crashed"})
    Process("kafka", os.getpid(), 1.0).record(own.runners["kafka"].pid_file)
    (own.home / "run" / "redis.json").write_text("{")
    (own.home / "run" / "lock").write_text("99999")
    own.up()
    assert states(own) == dict.fromkeys(PARTS, "running")
    assert os.getpid() not in pids(own).values()


def test_a_server_without_a_pid_file_is_found_and_stopped(own: Stack) -> None:
    lost = process_of(own, "redis")
    own.runners["redis"].pid_file.unlink()
    assert states(own)["redis"] == "stopped"
    own.up()
    assert not lost.alive()
    assert states(own)["redis"] == "running"


def test_status_logs_and_doctor_say_what_crashed(own: Stack) -> None:
    process_of(own, "clickhouse").kill()
    until(lambda: states(own)["clickhouse"] == "crashed")
    status = recoup(own.home, "status")
    assert status.returncode == 1
    assert "crashed" in status.stdout
    assert "recoup logs clickhouse" in status.stdout
    doctor = recoup(own.home, "doctor", "--json")
    assert doctor.returncode == 1
    problems = [finding for finding in json.loads(doctor.stdout) if finding["level"] == "problem"]
    assert [finding["name"] for finding in problems] == ["clickhouse"]
    up = recoup(own.home, "up", "--servers-only", "--json")
    assert up.returncode == 0, up.stderr
    assert json.loads(up.stdout).keys() == set(PARTS)
    assert "clickhouse" in up.stderr
    assert "had crashed" in up.stderr
    assert recoup(own.home, "status", "--json").returncode == 0
    assert recoup(own.home, "doctor").returncode == 0
    logs = recoup(own.home, "logs", "clickhouse", "-n", "1")
    assert logs.stdout.startswith("ClickHouse ")
    unknown = recoup(own.home, "logs", "nothing")
    assert unknown.returncode == 2
    assert "clickhouse, kafka, redis" in unknown.stderr


def test_logs_are_followed(own: Stack) -> None:
    command = [sys.executable, "-m", "recoup.cli.main", "logs", "redis", "-n", "0", "-f"]
    environment = os.environ | {"RECOUP_HOME": str(own.home)}

    def heed_ctrl_c() -> None:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # a test run in the background passes on that it is ignored

    with subprocess.Popen(  # noqa: S603 - our own command
        command,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=heed_ctrl_c,  # noqa: PLW1509
    ) as follower:
        assert follower.stdout is not None
        log = own.runners["redis"].part.log
        lines = iter(follower.stdout)
        heard: list[str] = []
        listener = threading.Thread(target=lambda: heard.append(next(lines)))
        listener.start()
        while listener.is_alive():
            with log.open("a") as file:
                file.write("something new\n")
            listener.join(0.2)
        follower.send_signal(signal.SIGINT)
        assert heard == ["something new\n"]
    assert follower.returncode == 0


def test_the_servers_outlive_their_command_and_down_ends_them(own: Stack) -> None:
    before = [Process.recorded(part, own.runners[part].pid_file) for part in PARTS]
    down = recoup(own.home, "down")
    assert down.returncode == 0, down.stderr
    assert not any(process.alive() for process in before if process)
    assert not (own.home / "endpoints.json").exists()
    assert set(states(own).values()) == {"stopped"}
    assert (own.home / "data" / "kafka" / "meta.properties").exists()
    assert recoup(own.home, "up", "--servers-only").returncode == 0
    assert set(states(own).values()) == {"running"}


def test_down_with_wipe_forgets_everything(own: Stack) -> None:
    assert recoup(own.home, "down", "--wipe").returncode == 0
    assert sorted(path.name for path in own.home.iterdir()) == []
    own.up()
    assert set(states(own).values()) == {"running"}


def test_external_servers_are_checked_and_not_started(stack: Stack, settings: Settings, tmp_path: Path) -> None:
    elsewhere = Settings(home=tmp_path, kafka=settings.kafka, redis=settings.redis, clickhouse=settings.clickhouse)
    external = Stack.of(elsewhere)
    assert external.up().kafka == settings.kafka.bootstrap_servers
    assert states(external) == dict.fromkeys(PARTS, "external")
    assert external.runners == {}
    external.down()
    assert states(stack) == dict.fromkeys(PARTS, "running")


def test_an_external_server_that_does_not_answer_is_named(tmp_path: Path, settings: Settings) -> None:
    nobody = KafkaSettings(bootstrap_servers=f"127.0.0.1:{free_port()}")
    redis_url = settings.redis.model_copy(update={"url": f"redis://:secret@127.0.0.1:{free_port()}/0"})
    clickhouse = settings.clickhouse.model_copy(update={"url": f"http://127.0.0.1:{free_port()}"})
    stack = Stack.of(Settings(home=tmp_path, kafka=nobody, redis=redis_url, clickhouse=clickhouse))
    with pytest.raises(NotReady) as caught:
        stack.up()
    for name in ("Kafka", "Redis", "ClickHouse"):
        assert name in str(caught.value)
    assert "secret" not in str(caught.value)
    assert states(stack) == dict.fromkeys(PARTS, "unreachable")
    assert "secret" not in repr(stack.status())


def alone(home: Path, part: str, **options: Any) -> Stack:
    """A stack of which only one part is started."""
    stack = Stack.of(Settings(home=home, stack=StackSettings(**options)))
    stack.runners = {part: stack.runners[part]}
    return stack


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        stack = alone(tmp_path, "redis", redis_port=port)
        with pytest.raises(NotReady, match=f"port {port} for Redis is taken by .+ \\(pid {os.getpid()}\\)"):
            stack.up()
        doctor = recoup(tmp_path, "doctor", RECOUP_STACK__REDIS_PORT=str(port))
        assert doctor.returncode == 1
        assert f"port {port} is taken" in doctor.stdout


def test_a_failed_start_says_why_with_the_end_of_the_log(tmp_path: Path) -> None:
    stack = alone(tmp_path, "redis")
    aof = tmp_path / "data" / "redis" / "appendonly.aof"
    aof.parent.mkdir(parents=True)
    aof.write_bytes(b"this is no append-only file")
    with pytest.raises(NotReady) as caught:
        stack.up()
    assert "Redis ended while it was starting" in str(caught.value)
    assert "Bad file format reading the append only file" in str(caught.value)
    assert stack.runners["redis"].status().state == "stopped"


def test_a_password_of_the_settings_guards_the_local_redis(tmp_path: Path) -> None:
    password = 'say "\\x" # $port'
    settings = Settings(home=tmp_path, redis=RedisSettings(password=SecretStr(password)))
    stack = Stack.of(settings)
    stack.runners = {"redis": stack.runners["redis"]}
    try:
        stack.runners["redis"].up(lambda part, what: None)
        url = stack.runners["redis"].address()
        with redis.Redis.from_url(url) as stranger, pytest.raises(redis.AuthenticationError):
            stranger.ping()
        assert connect(settings.redis.model_copy(update={"url": url})).ping()
        assert password not in " ".join(psutil.Process(process_of(stack, "redis").pid).cmdline())
    finally:
        stack.runners["redis"].down(lambda part, what: None)


def test_security_that_the_local_broker_does_not_speak_is_refused(tmp_path: Path) -> None:
    up = recoup(tmp_path, "up", RECOUP_KAFKA__SECURITY_PROTOCOL="SASL_SSL")
    assert up.returncode == 2
    assert "RECOUP_KAFKA__BOOTSTRAP_SERVERS" in up.stderr
    assert states(Stack(tmp_path)) == dict.fromkeys(PARTS, "stopped")


def test_data_of_another_version_are_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "version.json").write_text(json.dumps({"layout": layout.LAYOUT + 1, "kafka": "5.0.0"}))
    up = recoup(tmp_path, "up", "--servers-only")
    assert up.returncode == 1
    assert "another version" in up.stderr
    assert "recoup down --wipe" in up.stderr
    assert "another version" in recoup(tmp_path, "doctor").stdout


def test_doctor_names_misspelt_variables_and_bad_values(tmp_path: Path) -> None:
    found = recoup(tmp_path, "doctor", RECOUP_KAFKA_BOOTSTRAP_SERVERS="x:1")
    assert "did you mean RECOUP_KAFKA__BOOTSTRAP_SERVERS?" in found.stdout
    assert found.returncode == 0
    assert recoup(tmp_path, "doctor", RECOUP_STACK__KAFKA_PORT="many").returncode == 1


def test_without_network_the_missing_jars_are_explained(tmp_path: Path) -> None:
    blocked = {"XDG_CACHE_HOME": str(tmp_path / "cache"), "HOME": str(tmp_path)}
    proxies = dict.fromkeys(
        ("https_proxy", "HTTPS_PROXY", "http_proxy", "HTTP_PROXY", "ALL_PROXY"), "http://127.0.0.1:9"
    )
    up = recoup(tmp_path / "home", "up", "--servers-only", **blocked, **proxies)
    assert up.returncode == 1
    assert "could not be had from Maven Central" in up.stderr
    assert "RECOUP_KAFKA__BOOTSTRAP_SERVERS" in up.stderr
    recoup(tmp_path / "home", "down")
