"""The local ClickHouse endpoint's protocol, byte by byte, and what it keeps when it is killed."""

import gzip
import http.client
import json
import os
import socket
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.clickhouse.settings import ClickHouseSettings
from recoup.stack.clickhouse_endpoint import ClickHouseEndpoint
from recoup.stack.runner import Runner
from recoup.stack.settings import StackSettings

ENDLESS = b"SELECT count() FROM numbers(1000000000000) WHERE sipHash64(number) = 1"


class Endpoint:
    """An endpoint of one's own, with a password."""

    def __init__(self, home: Path) -> None:
        access = ClickHouseSettings.model_validate({"username": "ann", "password": "secret"})
        part = ClickHouseEndpoint(home, StackSettings(start_seconds=30), access)
        self.runner = Runner(part, part.settings)

    @property
    def port(self) -> int:
        return int(self.runner.address().rpartition(":")[2])

    @property
    def pid(self) -> int:
        process = self.runner.process()
        assert process is not None
        return process.pid

    def up(self) -> None:
        self.runner.up(lambda part, what: None)

    def down(self) -> None:
        self.runner.down(lambda part, what: None)

    def ask(self, sql: bytes, path: str = "/", method: str = "POST", **headers: str) -> http.client.HTTPResponse:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.request(method, path, sql, {"X-ClickHouse-User": "ann", "X-ClickHouse-Key": "secret"} | headers)
        return connection.getresponse()

    def value(self, sql: bytes) -> bytes:
        answer = self.ask(sql)
        data = answer.read()
        assert answer.status == 200, data
        return data.strip()

    def raw(self, request: bytes, *, cut: bool = False) -> bytes:
        """Send these bytes, and nothing more when it is cut; read until the endpoint closes."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as connection:
            connection.sendall(request)
            if cut:
                connection.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: connection.recv(65_536), b""))


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    endpoint = Endpoint(tmp_path_factory.mktemp("endpoint"))
    try:
        endpoint.up()
        endpoint.value(b"CREATE TABLE rows (k UInt64) ENGINE = MergeTree ORDER BY k")
        yield endpoint
    finally:
        endpoint.down()


@pytest.fixture
def rows(endpoint: Endpoint) -> Endpoint:
    endpoint.value(b"TRUNCATE TABLE rows")
    return endpoint


@pytest.mark.parametrize("path", ["/ping", "/replicas_status"])
def test_health_checks_need_no_password(endpoint: Endpoint, path: str) -> None:
    for method in ("GET", "HEAD", "POST"):
        answer = endpoint.ask(b"", path, method, **{"X-ClickHouse-Key": "wrong"})
        assert answer.status == 200
        assert answer.read() == (b"" if method == "HEAD" else b"Ok.\n")


def test_unknown_paths_are_not_found(endpoint: Endpoint) -> None:
    assert endpoint.ask(b"SELECT 1", "/nowhere").status == 404


def test_answers_carry_clickhouses_headers(endpoint: Endpoint) -> None:
    answer = endpoint.ask(b"SELECT number FROM numbers(3)", "/?query_id=mine&default_format=JSONEachRow")
    assert answer.read() == b'{"number":0}\n{"number":1}\n{"number":2}\n'
    assert answer.headers["X-ClickHouse-Query-Id"] == "mine"
    assert answer.headers["X-ClickHouse-Format"] == "JSONEachRow"
    assert answer.headers["X-ClickHouse-Timezone"] == "UTC"
    assert answer.headers["Content-Type"] == "application/x-ndjson; charset=UTF-8"
    summary = json.loads(answer.headers["X-ClickHouse-Summary"])
    assert (summary["result_rows"], summary["read_rows"]) == ("3", "3")


def test_head_has_headers_and_no_body(endpoint: Endpoint) -> None:
    answer = endpoint.ask(b"", "/?query=SELECT+1", "HEAD")
    assert (answer.status, answer.headers["Content-Length"], answer.read()) == (200, "2", b"")


def test_the_url_and_the_body_are_one_statement(rows: Endpoint) -> None:
    assert rows.ask(b"", "/?query=SELECT+1", "GET").read() == b"1\n"
    assert rows.ask(b"+ 2", "/?query=SELECT+1").read() == b"3\n"
    assert rows.ask(b"FORMAT TSV\n1\n2\n", "/?query=INSERT+INTO+rows").status == 200
    assert rows.ask(b"(3), (4)", "/?query=INSERT+INTO+rows+VALUES").status == 200
    assert rows.ask(b"INSERT INTO rows VALUES (5)").status == 200
    assert rows.ask(b'INSERT INTO rows FORMAT JSONEachRow {"k": 6}').status == 200
    assert rows.value(b"SELECT groupArray(k) FROM (SELECT k FROM rows ORDER BY k)") == b"[1,2,3,4,5,6]"


def test_get_only_reads(rows: Endpoint) -> None:
    for sql in ("INSERT+INTO+rows+VALUES+(1)", "DROP+TABLE+rows", "CREATE+TABLE+x+(k+Int8)+ENGINE=Memory"):
        answer = rows.ask(b"", f"/?query={sql}", "GET")
        assert answer.headers["X-ClickHouse-Exception-Code"] == "164"
    assert rows.ask(b"TRUNCATE TABLE rows", "/?readonly=1").headers["X-ClickHouse-Exception-Code"] == "164"


@pytest.mark.parametrize(("encoding", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
def test_bodies_compressed_in_several_frames(rows: Endpoint, encoding: str, pack) -> None:
    body = pack(b"INSERT INTO rows FORMAT TSV\n1\n") + (pack(b"2\n") if encoding == "gzip" else b"")
    assert rows.ask(body, **{"Content-Encoding": encoding}).status == 200
    assert rows.value(b"SELECT count() FROM rows") == (b"2" if encoding == "gzip" else b"1")


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "zstd", "lz4"])
def test_long_answers_are_compressed_when_asked(endpoint: Endpoint, encoding: str) -> None:
    sql = b"SELECT number FROM numbers(500000) FORMAT TSV"
    plain = endpoint.ask(sql).read()
    answer = endpoint.ask(sql, "/?enable_http_compression=1", **{"Accept-Encoding": f"br;q=0, {encoding}"})
    packed = answer.read()
    assert answer.headers["Content-Encoding"] == encoding
    assert len(packed) < len(plain)
    if encoding == "gzip":
        assert gzip.decompress(packed) == plain
    elif encoding == "deflate":
        assert zlib.decompress(packed) == plain
    assert endpoint.ask(sql, **{"Accept-Encoding": encoding}).headers["Content-Encoding"] is None


def test_an_unknown_encoding_is_refused(rows: Endpoint) -> None:
    answer = rows.ask(b"x", "/?query=INSERT+INTO+rows+FORMAT+TSV", **{"Content-Encoding": "snappy"})
    assert answer.headers["X-ClickHouse-Exception-Code"] == "89"
    assert rows.ask(b"SELECT 1", "/?compress=1").headers["X-ClickHouse-Exception-Code"] == "48"


HEAD = (
    b"POST /?query=INSERT+INTO+rows+FORMAT+TSV HTTP/1.1\r\n"
    b"Host: localhost\r\nX-ClickHouse-User: ann\r\nX-ClickHouse-Key: secret\r\n"
)
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    "cut",
    [
        b"Content-Length: 100\r\n\r\n1\n2\n3\n",
        CHUNKED + b"4\r\n1\n2\n\r\n",
        CHUNKED + b"4\r\n1\n2\n\r\n10\r\n3\n",
        b"Content-Encoding: gzip\r\nContent-Length: 20\r\n\r\n" + gzip.compress(b"1\n" * 500, mtime=0)[:20],
    ],
)
def test_an_insert_whose_body_is_cut_short_writes_nothing(rows: Endpoint, cut: bytes) -> None:
    answer = rows.raw(HEAD + cut, cut=True)
    assert answer.startswith(b"HTTP/1.1 500"), answer
    assert b"X-ClickHouse-Exception-Code: 33" in answer
    assert rows.value(b"SELECT count() FROM rows") == b"0"


def test_a_chunked_body_arrives_whole(rows: Endpoint) -> None:
    chunks = b"3;x=y\r\n1\n2\r\n3\r\n1\n3\r\n1\r\n\n\r\n0\r\nTrailer: x\r\n\r\n"
    answer = rows.raw(HEAD + b"Connection: close\r\n" + CHUNKED + chunks)
    assert answer.startswith(b"HTTP/1.1 200")
    assert rows.value(b"SELECT sum(k) FROM rows") == b"25"


def test_the_connection_goes_on_after_an_error(endpoint: Endpoint) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", endpoint.port, timeout=30)
    headers = {"X-ClickHouse-User": "ann", "X-ClickHouse-Key": "secret"}
    for body, path, status in (
        (b"SELECT 1", "/", 200),
        (b"1\n" * 100_000, "/?query=INSERT+INTO+nowhere+FORMAT+TSV", 404),  # the body is not read by anybody
        (b"SELEC", "/", 400),
        (b"SELECT 1", "/", 200),
    ):
        connection.request("POST", path, body, headers)
        answer = connection.getresponse()
        answer.read()
        assert answer.status == status
    connection.close()


def test_http_1_0_gets_a_long_answer_up_to_the_end(endpoint: Endpoint) -> None:
    sql = b"SELECT number FROM numbers(1000000) FORMAT RowBinary"
    length = b"Content-Length: %d\r\n\r\n" % len(sql)
    answer = endpoint.raw(b"POST / HTTP/1.0\r\nX-ClickHouse-User: ann\r\nX-ClickHouse-Key: secret\r\n" + length + sql)
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"chunked" not in head
    assert len(body) == 8_000_000


def test_a_failure_in_mid_stream_ends_the_data_with_its_mark(endpoint: Endpoint) -> None:
    sql = b"SELECT throwIf(number = 5000000) FROM numbers(10000000) SETTINGS max_threads = 1 FORMAT RowBinary"
    answer = endpoint.ask(sql)
    data = answer.read()
    tag = answer.headers["X-ClickHouse-Exception-Tag"].encode()
    assert answer.status == 200
    assert b"\r\n__exception__\r\n" + tag + b"\r\nCode: 395" in data
    assert data.endswith(tag + b"\r\n__exception__\r\n")
    whole = endpoint.ask(sql, "/?wait_end_of_query=1")
    assert (whole.status, whole.headers["X-ClickHouse-Exception-Code"]) == (500, "395")


def test_a_query_ends_when_its_client_goes_away(endpoint: Endpoint) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", endpoint.port, timeout=30)
    headers = {"X-ClickHouse-User": "ann", "X-ClickHouse-Key": "secret"}
    connection.request("POST", "/?query_id=abandoned&max_threads=1", ENDLESS, headers)
    running = b"SELECT count() FROM system.processes WHERE Settings['log_comment'] = 'abandoned'"
    until(lambda: endpoint.value(running) == b"1")
    connection.close()
    until(lambda: endpoint.value(running) == b"0")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"X-ClickHouse-Key": "wrong"}, 403),
        ({"X-ClickHouse-User": "eve"}, 403),
        ({"X-ClickHouse-User": "ann", "X-ClickHouse-Key": "secret"}, 200),
        ({"Authorization": "Basic YW5uOnNlY3JldA=="}, 200),
        ({"Authorization": "Basic YW5uOndyb25n"}, 403),
        ({"Authorization": "Basic not base64"}, 403),
        ({}, 403),
        # A web page in the browser, and a name of its own that was made to lead here:
        ({"X-ClickHouse-User": "ann", "X-ClickHouse-Key": "secret", "Sec-Fetch-Site": "cross-site"}, 403),
        ({"X-ClickHouse-User": "ann", "X-ClickHouse-Key": "secret", "Host": "evil.example:8123"}, 403),
    ],
)
def test_only_the_user_with_the_password_is_answered(endpoint: Endpoint, headers: dict[str, str], status: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", endpoint.port, timeout=30)
    connection.request("POST", "/", b"SELECT 1", headers)
    assert connection.getresponse().status == status


def test_user_and_password_may_stand_in_the_url(endpoint: Endpoint) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", endpoint.port, timeout=30)
    connection.request("GET", "/?user=ann&password=secret&query=SELECT+1")
    assert connection.getresponse().read() == b"1\n"


def test_nothing_of_a_statement_is_logged(endpoint: Endpoint) -> None:
    endpoint.ask(b"SELECT * FROM nowhere WHERE name = 'Jane Roe'")
    endpoint.ask(b"Jane Roe\n", "/?query=INSERT+INTO+rows+FORMAT+TSV")
    assert "Jane" not in endpoint.runner.part.log.read_text()


@pytest.mark.parametrize(("allow", "says"), [([], "--allow-remote"), (["--allow-remote"], "password")])
def test_other_machines_are_let_in_only_when_asked_and_with_a_password(
    tmp_path: Path, allow: list[str], says: str
) -> None:
    data = tmp_path / "data"
    options = ["--path", str(data), "--port", "0", "--host", "0.0.0.0", *allow]  # noqa: S104
    command = [sys.executable, "-m", "recoup.stack.clickhouse_server", *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)  # noqa: S603
    assert done.returncode != 0
    assert says in done.stderr
    assert not data.exists()


def insert_until_it_breaks(endpoint: Endpoint, table: bytes, acknowledged: list[int], wanted: int) -> None:
    """Insert one row after the other; remember those that the endpoint has acknowledged."""
    connection = http.client.HTTPConnection("127.0.0.1", endpoint.port, timeout=30)
    headers = {"X-ClickHouse-User": "ann", "X-ClickHouse-Key": "secret"}
    for k in range(wanted):
        try:
            connection.request("POST", "/", b"INSERT INTO %b VALUES (%d)" % (table, k), headers)
            answer = connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException):
            return
        if answer.status == 200:
            acknowledged.append(k)


def test_a_kill_loses_no_acknowledged_insert(tmp_path: Path) -> None:
    endpoint = Endpoint(tmp_path)
    try:
        endpoint.up()
        port = endpoint.port
        for number in range(2):
            table = b"kept%d" % number
            endpoint.value(b"CREATE TABLE %b (k UInt64) ENGINE = MergeTree ORDER BY k" % table)
            acknowledged: list[int] = []
            writer = threading.Thread(target=insert_until_it_breaks, args=(endpoint, table, acknowledged, 100_000))
            writer.start()
            until(lambda: len(acknowledged) > 30)  # noqa: B023
            os.kill(endpoint.pid, 9)
            writer.join()
            until(lambda: endpoint.runner.status().state == "crashed")
            endpoint.up()
            assert endpoint.port == port
            found = {int(k) for k in endpoint.value(b"SELECT k FROM %b" % table).split()}
            assert found >= set(acknowledged)
            assert endpoint.value(b"SELECT count() - uniqExact(k) FROM %b" % table) == b"0"
    finally:
        endpoint.down()


def test_a_stop_lets_the_running_insert_end(tmp_path: Path) -> None:
    endpoint = Endpoint(tmp_path)
    try:
        endpoint.up()
        endpoint.value(b"CREATE TABLE slow (k UInt64) ENGINE = MergeTree ORDER BY k")
        answers: list[int] = []

        def insert() -> None:
            sql = (
                b"INSERT INTO slow SELECT number + sleepEachRow(0.2) FROM numbers(10) SETTINGS log_comment = 'slow one'"
            )
            answers.append(endpoint.ask(sql).status)

        writer = threading.Thread(target=insert)
        writer.start()
        running = b"SELECT count() FROM system.processes WHERE query LIKE 'INSERT INTO slow%'"
        until(lambda: endpoint.value(running) != b"0")
        endpoint.down()
        writer.join()
        assert answers == [200]
        assert endpoint.runner.part.log.read_text().rstrip().endswith("stopped")
        endpoint.up()
        assert endpoint.value(b"SELECT count() FROM slow") == b"10"
    finally:
        endpoint.down()


def until(condition) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)
