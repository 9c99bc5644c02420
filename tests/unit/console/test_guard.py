"""Nobody but this machine, or who knows the token, is let in; no other site's page can ask or change anything."""

import json
import re

import httpx
import pytest
from click.testing import CliRunner

from models.clock import SetClock, WallClock
from recoup.cli.main import recoup
from recoup.console.app import ASSETS
from recoup.console.guard import COOKIE, COOKIE_SECONDS, Guard, is_loopback
from recoup.settings import ConsoleSettings
from schemas.errors import BadInput
from tests.unit.console.served import Served, served

TOKEN = "a-token-of-some-length"


@pytest.fixture(scope="module")
def console():
    with served() as running:
        yield running


@pytest.fixture(scope="module")
def locked():
    with served(ConsoleSettings(token=TOKEN)) as running:
        yield running


def csrf(console: Served) -> str:
    return console.console.guard.csrf


def post(console: Served, **headers: str) -> httpx.Response:
    body = {"at": "payment-events.dlq:0:1"}
    own = {"Origin": console.url, "X-Recoup-Csrf": csrf(console)}
    sent = {name: value for name, value in (own | headers).items() if value}
    return httpx.post(f"{console.url}/api/letter/send", json=body, headers=sent)


def test_other_machines_need_a_token_worth_the_name():
    with pytest.raises(BadInput, match="RECOUP_CONSOLE__TOKEN"):
        Guard(ConsoleSettings(host="0.0.0.0"), WallClock())  # noqa: S104 - refused
    with pytest.raises(BadInput, match="16"):
        Guard(ConsoleSettings(host="0.0.0.0", token="short"), WallClock())  # noqa: S104
    Guard(ConsoleSettings(host="0.0.0.0", token=TOKEN), WallClock())  # noqa: S104 - not bound


def test_the_command_refuses_as_well(tmp_path):
    nowhere = {"KAFKA__BOOTSTRAP_SERVERS": "x:1", "REDIS__URL": "redis://x:1", "CLICKHOUSE__URL": "http://x:1"}
    environment = {f"RECOUP_{name}": value for name, value in nowhere.items()} | {"RECOUP_HOME": str(tmp_path)}
    done = CliRunner(env=environment).invoke(recoup, ["console", "--host", "0.0.0.0"])  # noqa: S104 - refused
    assert isinstance(done.exception, BadInput)
    assert done.exception.exit_code == 2


@pytest.mark.parametrize(
    ("host", "here"),
    [("127.0.0.1", True), ("localhost", True), ("::1", True), ("10.0.0.1", False), ("example.org", False)],
)
def test_which_addresses_only_this_machine_reaches(host, here):
    assert is_loopback(host) is here


def test_a_name_that_was_bound_to_this_machine_by_somebody_else_is_refused(console):
    assert httpx.get(console.url, headers={"Host": "evil.example:8642"}).status_code == 421
    assert httpx.get(console.url, headers={"Host": "localhost:1"}).status_code == 200
    assert httpx.get(f"{console.url}/api/search?q=a", headers={"Host": "evil.example"}).status_code == 421
    assert httpx.get(console.url, headers={"Host": "[evil"}).status_code == 421


def test_names_that_are_meant_are_answered():
    with served(ConsoleSettings(token=TOKEN, names=("console.example",))) as named:
        bearer = {"Authorization": f"Bearer {TOKEN}"}
        assert httpx.get(named.url, headers={"Host": "Console.example"} | bearer).status_code == 200
        assert httpx.get(named.url, headers={"Host": "other.example"} | bearer).status_code == 421


@pytest.mark.parametrize(
    "path", ["/", "/assets/main.js", "/api/stream", "/api/search?q=a", "/api/account?tenant=a&id=b"]
)
def test_without_the_token_nothing_is_told(locked, path):
    assert httpx.get(locked.url + path).status_code == 401
    wrong = {"Authorization": f"Bearer {TOKEN}x", "Cookie": f"recoup_console={TOKEN}"}
    assert httpx.get(locked.url + path, headers=wrong).status_code == 401


def test_the_token_is_known_from_a_cookie_after_the_first_visit(locked):
    with httpx.Client() as visitor:
        first = visitor.get(f"{locked.url}/?token={TOKEN}")
        assert first.status_code == 200
        cookie = first.headers["Set-Cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=Strict" in cookie
        assert TOKEN not in cookie
        assert first.headers["Referrer-Policy"] == "no-referrer"
        assert visitor.get(f"{locked.url}/assets/main.js").status_code == 200


def test_a_cookie_ends_by_the_consoles_clock_whatever_the_browser_keeps():
    clock = SetClock(WallClock().now())
    with served(ConsoleSettings(token=TOKEN), clock) as locked:
        kept = httpx.get(f"{locked.url}/?token={TOKEN}").cookies[COOKIE]

        def asked_with(cookie: str) -> int:
            return httpx.get(locked.url, headers={b"Cookie": f"{COOKIE}={cookie}".encode()}).status_code

        end, _, signature = kept.partition(".")
        clock.instant = int(end) - 1
        assert asked_with(kept) == 200
        clock.instant += 1
        assert asked_with(kept) == 401
        assert asked_with(f"{int(end) + 1000 * COOKIE_SECONDS}.{signature}") == 401, "its end is signed"
        assert asked_with(f"{'9' * 5_000}.{signature}") == 401
        assert asked_with("².x") == 401
        assert asked_with("") == 401


def test_a_token_that_is_no_text_is_a_wrong_one(locked):
    assert httpx.get(locked.url, headers={b"Authorization": b"Bearer \xff\xfe"}).status_code == 401


def test_a_wrong_token_sets_no_cookie(locked):
    answer = httpx.get(f"{locked.url}/?token=guess")
    assert answer.status_code == 401
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://[evil"},
        {"Origin": ""},
        {"Origin": "", "Sec-Fetch-Site": "cross-site"},
        {"X-Recoup-Csrf": ""},
        {"X-Recoup-Csrf": "guess"},
    ],
)
def test_no_other_page_can_send_anything(console, headers):
    before = len(console.desk.sent)
    assert post(console, **headers).status_code == 403
    assert len(console.desk.sent) == before


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_no_other_page_can_look_at_anything_in_somebodys_name(console, site):
    """Who is shown a dead letter is recorded."""
    path = f"{console.url}/api/letter?at=payment-events.dlq:0:1"
    assert httpx.get(path, headers={"Sec-Fetch-Site": site}).status_code == 403
    assert httpx.get(path, headers={"Sec-Fetch-Site": "same-origin"}).status_code == 400
    assert httpx.get(console.url, headers={"Sec-Fetch-Site": site}).status_code == 200, "a link to the page is fine"


def test_a_form_of_another_site_is_not_even_read(console):
    headers = {"Origin": console.url, "X-Recoup-Csrf": csrf(console)}
    sent = httpx.post(f"{console.url}/api/letter/send", data={"at": "x"}, headers=headers)
    assert sent.status_code == 415


def test_the_page_itself_can_send(console):
    assert post(console).json() == {"sent": True, "says": "It was sent again.", "recorded": True}
    assert post(console, Origin="", **{"Sec-Fetch-Site": "same-origin"}).status_code == 200


def test_what_is_asked_for_must_be_understood(console):
    headers = {"Origin": console.url, "X-Recoup-Csrf": csrf(console)}
    for body in ({}, {"at": 5}, {"at": "x", "force": True}):
        answer = httpx.post(f"{console.url}/api/letter/send", json=body, headers=headers)
        assert answer.status_code == 400
        assert "error" in answer.json()


@pytest.mark.parametrize(
    "path", ["/", "/assets/style.css", "/api/search?q=a", "/api/letter?at=x", "/assets/nothing.js"]
)
def test_every_answer_forbids_what_the_page_does_not_need(console, path):
    answer = httpx.get(console.url + path)
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'self';")
    assert "unsafe" not in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_the_stream_forbids_the_same_and_is_not_kept(console):
    with httpx.stream("GET", f"{console.url}/api/stream") as stream:
        assert stream.headers["Content-Type"].startswith("text/event-stream")
        assert stream.headers["Cache-Control"] == "no-store"
        assert "Content-Security-Policy" in stream.headers
        first = next(stream.iter_text())
    assert json.loads(first.split("data: ", 1)[1])["hello"]["csrf"] == csrf(console)


@pytest.mark.parametrize("path", ["/assets/../app.py", "/assets/%2e%2e/app.py", "/assets/..%2fapp.py", "/app.py"])
def test_only_assets_are_served(console, path):
    assert httpx.get(console.url + path).status_code == 404


def test_the_page_asks_no_other_host_and_writes_no_html_from_data():
    for path in ASSETS.iterdir():
        text = path.read_text("utf-8")
        elsewhere = set(re.findall(r"https?://[\w./-]+", text)) - {"http://www.w3.org/2000/svg"}
        assert elsewhere == set(), path.name
        assert not re.search(
            r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|srcdoc", text
        )
