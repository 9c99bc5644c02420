"""The files that Grafana reads, as the code says that they are."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from dashboards import alerts
from dashboards.board import Board, built
from dashboards.boards import BOARDS

FOLDER: Final = Path(__file__).parent


def files() -> Iterator[tuple[Path, str]]:
    """Every file that is made, and what is in it."""
    for board in BOARDS:
        yield FOLDER / "json" / f"{board.uid}.json", as_json(board)
    yield FOLDER / "provisioning" / "alerting" / "rules.yaml", alerts.provisioned()


def as_json(board: Board) -> str:
    """A dashboard as Grafana stores it, the same bytes each time."""
    return json.dumps(built(board), cls=JSONEncoder, indent=2, ensure_ascii=False, sort_keys=True) + "\n"


def write() -> list[Path]:
    """Write what differs; also what was removed. The paths of what changed."""
    wanted = dict(files())
    changed = [path for path, text in wanted.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    for path in changed:
        path.write_text(wanted[path], encoding="utf-8")
    gone = [path for path in (FOLDER / "json").glob("*.json") if path not in wanted]
    for path in gone:
        path.unlink()
    return changed + gone


def differing() -> list[Path]:
    """Files that are not what the code says, are missing, or are left over."""
    wanted = dict(files())
    there = {path: path.read_text(encoding="utf-8") for path in (FOLDER / "json").glob("*.json")}
    there |= {path: path.read_text(encoding="utf-8") for path in wanted if path.exists()}
    return sorted(path for path in wanted.keys() | there.keys() if wanted.get(path) != there.get(path))
