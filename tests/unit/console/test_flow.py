"""Rates, lag and latencies are of what was measured, and a worker that is gone or silent is said to be so."""

import json
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, ClassVar

import pytest

from recoup.console.decisions import Decisions
from recoup.console.flow import Crew
from recoup.console.sources import Away
from recoup.console.tail import Tail
from recoup.settings import Settings


class Health(BaseHTTPRequestHandler):
    """A worker's `/ready` and `/metrics`."""

    figures = ""
    state: ClassVar[dict[str, Any]] = {"ready": True, "state": "working", "units": 8}

    def do_GET(self) -> None:
        body = (json.dumps(self.state) if self.path == "/ready" else self.figures).encode()
        self.send_response(200 if self.path != "/ready" or self.state["ready"] else 503)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def worker(tmp_path: Path):
    server = HTTPServer(("127.0.0.1", 0), Health)
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    (tmp_path / "run").mkdir()
    where = {"pid": 1, "web": f"http://127.0.0.1:{server.server_address[1]}"}
    (tmp_path / "run" / "worker-land-0.json").write_text(json.dumps(where))
    Health.state = {"ready": True, "state": "working", "units": 8}
    yield tmp_path
    server.shutdown()
    thread.join()
    server.server_close()


def latencies(fast: int, slow: int) -> str:
    name = 'recoup_event_to_row_seconds_bucket{topic="payment-events",le='
    return f'{name}"0.1"}} {fast}\n{name}"1.0"}} {fast + slow}\n{name}"+Inf"}} {fast + slow}\n'


def test_rates_are_of_the_last_seconds_and_latencies_of_the_last_minute(worker):
    seconds = [0.0]
    crew = Crew(worker, lambda: seconds[0])
    Health.figures = 'recoup_rows_landed_total{topic="payment-events"} 1000\n' + latencies(1_000_000, 0)
    first = crew.read()
    assert first.to_row is None, "nothing is known of the last minute yet"
    seconds[0] = 4.0
    Health.figures = 'recoup_rows_landed_total{topic="payment-events"} 1400\n' + latencies(1_000_000, 100)
    then = crew.read()
    assert then.rows_per_second == 100.0
    assert then.to_row is not None
    assert then.to_row[0] > 100, "a million fast ones before do not hide a hundred slow ones"
    assert then.rows[-1] is not None
    seconds[0] = 200.0
    crew.read()
    seconds[0] = 270.0
    assert crew.read().to_row is None


def test_a_worker_that_cannot_work_is_not_ready(worker):
    Health.figures = ""
    Health.state = {"ready": False, "state": "stuck", "units": 3}
    (told,) = Crew(worker).read().workers
    assert (told.name, told.state, told.ready, told.partitions) == ("land-0", "stuck", False, 3)


def test_workers_that_are_gone_are_named_while_another_runs(worker):
    (worker / "run" / "worker-decide-0.json").write_text(json.dumps({"pid": 2, "web": "http://127.0.0.1:9"}))
    states = {told.name: told.state for told in Crew(worker).read().workers}
    assert states == {"decide-0": "gone", "land-0": "working"}


def test_a_home_without_workers_says_so(tmp_path):
    with pytest.raises(Away, match="no worker"):
        Crew(tmp_path).read()


def test_marks_of_transactions_after_the_last_message_are_no_lag():
    tail = Tail(Settings().kafka, Decisions())
    tail.last = {("payment-events", 0): 41, ("payment-events", 1): 10}
    assert tail.behind({("payment-events", 0): 42, ("payment-events", 1): 11}) == 0
    assert tail.behind({("payment-events", 0): 43}) == 0
    assert tail.behind({("payment-events", 0): 40, ("payment-events", 1): 11}) == 2
    assert tail.behind({("crm-events", 0): 0}) == 0, "nothing was ever heard of it"
