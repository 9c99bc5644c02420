"""What the workers that run here make of a release: they take it, they refuse it, or they do not say so in time."""

import http.client
import json
import time
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import msgspec

ANSWER_SECONDS = 2.0
AGAIN_SECONDS = 0.1


class Answer(msgspec.Struct, frozen=True):
    """What one running worker says about a release; `silent` = it did not take it, or say so, in time."""

    worker: str
    state: Literal["serving", "refused", "silent"]
    says: str = ""


class Asked(msgspec.Struct, frozen=True):
    """The release that workers are asked about."""

    page: str
    """Where a worker shows how the newest releases stand in it, such as `/models`."""
    thing: str
    """The field that names what was released, such as `model`."""
    name: str
    tenant: str
    role: str
    event_id: str

    def is_about(self, standing: dict[str, str]) -> bool:
        """Whether a standing is of this release: the same thing may have been released before, and refused then."""
        wanted = {"tenant": self.tenant, "role": self.role, self.thing: self.name}
        return wanted.items() <= standing.items() and standing.get("release", "") in ("", self.event_id)


_standings = msgspec.json.Decoder(list[dict[str, str]]).decode


def answers(home: Path, asked: Asked, seconds: float) -> list[Answer]:
    """What the decide workers that run under this home say about a release, once each took it or refused it.

    Those that do not answer at all are not counted as running. Waits for so many seconds at most.
    """
    webs = {path.stem.removeprefix("worker-"): web for path in _files(home) if (web := _web(path))}
    deadline = time.monotonic() + seconds
    said = {worker: answer for worker, web in webs.items() if (answer := _ask(worker, web, asked)) is not None}
    while any(answer.state == "silent" for answer in said.values()) and time.monotonic() < deadline:
        time.sleep(AGAIN_SECONDS)
        for worker in [worker for worker, answer in said.items() if answer.state == "silent"]:
            said[worker] = _ask(worker, webs[worker], asked) or said[worker]
    return [said[worker] for worker in sorted(said)]


def _files(home: Path) -> list[Path]:
    return sorted((home / "run").glob("worker-decide-*.json"))


def _web(path: Path) -> str:
    try:
        return str(json.loads(path.read_text())["web"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def _ask(worker: str, web: str, asked: Asked) -> Answer | None:
    """What a worker says now; None when nobody is there."""
    address = urlsplit(web)
    connection = http.client.HTTPConnection(address.hostname or "127.0.0.1", address.port, timeout=ANSWER_SECONDS)
    try:
        connection.request("GET", asked.page)
        standings = _standings(connection.getresponse().read())
    except (TimeoutError, http.client.HTTPException, msgspec.MsgspecError):
        return Answer(worker, "silent", f"runs, and does not say which {asked.thing} it has")
    except OSError:
        return None
    finally:
        connection.close()
    for standing in standings:
        if asked.is_about(standing) and standing.get("state") in ("serving", "refused"):
            return Answer(worker, "refused" if standing["state"] == "refused" else "serving", standing.get("says", ""))
    return Answer(worker, "silent", "has not taken the release yet")
