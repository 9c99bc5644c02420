"""A release is planned from what is in force, the way back is kept, and the workers are asked what they make of it."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner, Result

from connectors.kafka.settings import KafkaSettings
from connectors.model_store.settings import ModelSettings
from connectors.model_store.signing import make_key, sign
from connectors.model_store.store import Store
from models.calendar import instant, utc
from models.features.catalogue import FEATURES_HASH
from recoup import model_releases
from recoup.cli.main import recoup as command_line
from recoup.model_releases import (
    ALL,
    MOST_PREVIOUS,
    InForce,
    answers,
    check_tenant,
    plan,
    plan_rollback,
    published,
    signed,
    stamp,
)
from schemas.control import ModelReleased
from schemas.errors import BadInput, ModelRefused
from tests.trained_model import put
from tests.unit.models.events import MONDAY


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(ModelSettings(), tmp_path)


def in_force(*releases: ModelReleased) -> InForce:
    return {(release.tenant_id, release.role): release for release in releases}


def test_a_release_says_what_the_model_is_for(store):
    model_id = put(store, target="paid_within:30", moment="every:7d")
    release = plan(store, {}, model_id, "acme", "challenger")
    assert (release.tenant_id, release.role, release.model) == ("acme", "challenger", model_id)
    assert (release.target, release.moment, release.features_hash) == ("paid_within:30", "every:7d", FEATURES_HASH)
    assert release.location == f"models/{model_id}"
    assert release.previous == ()


def test_the_way_back_is_the_way_it_came(store):
    one, two, three = (put(store, bias=float(number)) for number in range(3))
    releases: InForce = {}
    for model_id in (one, two, three):
        releases = in_force(plan(store, releases, model_id, ALL, "champion"))
    assert releases[ALL, "champion"].previous == (two, one)
    back = []
    while releases[ALL, "champion"].model:
        releases = in_force(plan_rollback(store, releases, ALL, "champion").release)
        back.append(releases[ALL, "champion"].model)
    assert back == [two, one, ""]
    with pytest.raises(BadInput, match="no way back"):
        plan_rollback(store, releases, ALL, "champion")


def test_a_release_is_later_than_the_one_before_whatever_the_clock_says(store):
    wanted, noon = plan(store, {}, put(store), ALL, "champion"), instant(MONDAY)
    before = stamp(wanted, noon)
    assert before.occurred_at == MONDAY
    assert stamp(wanted, noon + 5, before).occurred_at == utc(noon + 5)
    for now in (noon, noon - 60_000):
        after = stamp(wanted, now, before)
        assert (after.occurred_at, after.event_id == before.event_id) == (utc(noon + 1), False)


def test_each_tenant_and_role_has_a_way_of_its_own(store):
    one, two = put(store), put(store, bias=1.0)
    releases = in_force(plan(store, {}, one, ALL, "champion"))
    assert plan(store, releases, two, "acme", "champion").previous == ()
    assert plan(store, releases, two, ALL, "challenger").previous == ()
    with pytest.raises(BadInput, match="no challenger in force"):
        plan_rollback(store, releases, ALL, "challenger")


def test_a_second_release_of_the_same_model_keeps_the_way_back(store):
    one, two = put(store), put(store, bias=1.0)
    releases = in_force(plan(store, {}, one, ALL, "champion"))
    for _ in range(2):
        releases = in_force(plan(store, releases, two, ALL, "champion"))
        assert releases[ALL, "champion"].previous == (one,)


def test_the_way_back_is_bounded(store):
    ids = [put(store, bias=float(number)) for number in range(2)]
    releases: InForce = {}
    for number in range(MOST_PREVIOUS + 5):
        releases = in_force(plan(store, releases, ids[number % 2], ALL, "champion"))
    assert len(releases[ALL, "champion"].previous) == MOST_PREVIOUS


def test_a_model_that_may_no_longer_score_is_passed_over_on_the_way_back(store):
    one, two, three = put(store), put(store, bias=1.0), put(store, bias=2.0)
    now = ModelReleased(tenant_id=ALL, role="champion", model=three, previous=(two, one))
    (Path(store.files.root) / two / "scorecard.json").unlink()
    back = plan_rollback(store, in_force(now), ALL, "champion")
    assert (back.release.model, back.release.previous, list(back.passed_over)) == (one, (), [two])


def test_what_is_not_signed_or_cannot_be_read_says_nothing_of_the_way_back(store, monkeypatch):
    one, two = put(store), put(store, bias=1.0)
    release = msgspec.structs.replace(plan(store, {}, one, ALL, "champion"), event_id="r1")
    assert signed(in_force(release), store) == {}, "there is no key yet"
    good = sign(release, make_key(store.settings, store.home))
    assert signed(in_force(good), store) == in_force(good)
    forged = msgspec.structs.replace(good, previous=(two,))
    assert signed(in_force(forged), store) == {}
    values = {b"*|champion": msgspec.json.encode(good), b"2": b"{", b"3": b'{"type":"model.released"}'}
    monkeypatch.setattr(model_releases, "read_whole", lambda *_: values)
    assert published(KafkaSettings()) == in_force(good)


def test_an_old_release_that_is_sent_again_under_another_key_is_not_in_force(store, monkeypatch):
    old, new = (plan(store, {}, put(store, bias=bias), ALL, "champion") for bias in (0.0, 1.0))
    values = {b"*|champion": msgspec.json.encode(new), b"shop|champion": msgspec.json.encode(old)}
    monkeypatch.setattr(model_releases, "read_whole", lambda *_: values)
    assert published(KafkaSettings()) == in_force(new)


def test_a_model_with_leaks_is_released_with_a_reason_or_not(store):
    model_id = put(store, leaks=("days_late alone has an AUC of 0.99",))
    with pytest.raises(ModelRefused, match="leaks"):
        plan(store, {}, model_id, ALL, "champion")
    with pytest.raises(ModelRefused, match="leaks"):
        plan(store, {}, model_id, ALL, "champion", "")
    assert plan(store, {}, model_id, ALL, "champion", "a rehearsal").override == "a rehearsal"
    now = ModelReleased(tenant_id=ALL, role="champion", model=put(store), previous=(model_id,))
    override = plan_rollback(store, in_force(now), ALL, "champion").release.override
    assert override is not None
    assert "rolled back" in override


def test_what_no_worker_would_take_is_not_released(store, tmp_path):
    for model_id in (put(store, ("ledger:terms",)), put(store, features_hash="f" * 16), "0" * 16):
        with pytest.raises(ModelRefused):
            plan(store, {}, model_id, ALL, "champion", "we want it")
    with pytest.raises(ModelRefused, match="slow"):
        plan(Store(ModelSettings(slow_us_per_row=0.001), tmp_path), {}, put(store), ALL, "champion", "we want it")


def test_only_a_published_tenant_gets_a_model():
    check_tenant(ALL, [])
    check_tenant("acme", ["acme"])
    with pytest.raises(BadInput, match="published are: acme, nordlicht"):
        check_tenant("amce", ["nordlicht", "acme"])


class Worker(ThreadingHTTPServer):
    """A worker's web address that says in turn what it is told to; the last one for ever."""

    daemon_threads = True

    def __init__(self, *says: Any) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.says = list(says)


class _Answer(BaseHTTPRequestHandler):
    server: Worker

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base's name
        pass

    def do_GET(self) -> None:
        says = self.server.says.pop(0) if len(self.server.says) > 1 else self.server.says[0]
        self.send_response(404 if says is None or self.path != "/models" else 200)
        self.end_headers()
        self.wfile.write(json.dumps(says).encode())


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Any]:
    """Starts workers that say what they are told to, under the home of the test."""
    (tmp_path / "run").mkdir()
    running: list[Worker] = []

    def start(*says: Any) -> None:
        worker = Worker(*says)
        threading.Thread(target=worker.serve_forever, kwargs={"poll_interval": 0.01}).start()
        name = f"worker-decide-{len(running)}.json"
        (tmp_path / "run" / name).write_text(json.dumps({"web": f"http://127.0.0.1:{worker.server_port}"}))
        running.append(worker)

    yield start
    for worker in running:
        worker.shutdown()
        worker.server_close()


RELEASE = ModelReleased(event_id="r2", tenant_id="acme", role="champion", model="a" * 16)
TAKEN = {"tenant": "acme", "role": "champion", "model": "a" * 16, "state": "serving", "says": ""}


def test_workers_are_asked_until_each_has_taken_the_release_or_refused_it(fleet, tmp_path):
    fleet([], [TAKEN | {"model": "b" * 16}], [TAKEN | {"tenant": "*"}, TAKEN])
    fleet([TAKEN | {"state": "refused", "says": "slow"}])
    fleet([TAKEN | {"release": "r1", "state": "refused"}], [TAKEN | {"release": "r2"}])
    (tmp_path / "run" / "worker-land-0.json").write_text('{"web": "http://127.0.0.1:1"}')
    (tmp_path / "run" / "worker-decide-9.json").write_text('{"web": "http://127.0.0.1:1"}')
    (tmp_path / "run" / "worker-decide-8.json").write_text("{")
    said = [(answer.worker, answer.state, answer.says) for answer in answers(tmp_path, RELEASE, 10)]
    assert said == [("decide-0", "serving", ""), ("decide-1", "refused", "slow"), ("decide-2", "serving", "")]


@pytest.mark.parametrize("says", [None, {"no": "list"}, [], ["text"], [TAKEN | {"state": "loading"}]], ids=str)
def test_a_worker_that_does_not_say_so_in_time_is_silent(fleet, tmp_path, says):
    fleet(says)
    assert [answer.state for answer in answers(tmp_path, RELEASE, 0)] == ["silent"]


def test_nobody_is_asked_where_no_worker_runs(tmp_path):
    assert answers(tmp_path, RELEASE, 10) == []


def told(home: Path, *arguments: str) -> Result:
    return CliRunner(env={"RECOUP_HOME": str(home)}).invoke(command_line, ["models", *arguments])


def test_models_are_shown_without_kafka(store, tmp_path):
    first = told(tmp_path, "list")
    assert "no model yet" in first.output
    model_id = put(store, leaks=("days_late alone has an AUC of 0.99",))
    listed = told(tmp_path, "list")
    assert f"{model_id}  paid_by_due at issue, AUC 0.889 (baseline 0.870), ECE 0.024" in listed.stdout
    assert "HAS LEAKS" in listed.stdout
    assert "in force is not known" in listed.stderr
    row = json.loads(told(tmp_path, "list", "--json").stdout)[0]
    assert (row["model_id"], row["auc"], row["in_force"]) == (model_id, 0.889, None)

    shown = told(tmp_path, "show", model_id[:6]).stdout
    assert f"models/{model_id}/report.html" in shown
    assert "days_late alone" in shown
    assert json.loads(told(tmp_path, "show", model_id, "--json").stdout)["model_id"] == model_id


def test_a_model_that_was_changed_is_listed_as_such(store, tmp_path):
    model_id = put(store)
    (Path(store.files.root) / model_id / "manifest.json").write_text("{}")
    assert f"{model_id}  cannot be used" in told(tmp_path, "list").stdout
    assert json.loads(told(tmp_path, "list", "--json").stdout)[0]["refused"]


def test_an_id_that_leads_nowhere_is_bad_input(tmp_path):
    for model_id in ("0", "../../etc/passwd", ""):
        done = told(tmp_path, "show", model_id)
        assert isinstance(done.exception, BadInput)
        assert done.exception.exit_code == 2
