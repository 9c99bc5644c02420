"""The contracts as they were at a git revision."""

import json
import subprocess
from pathlib import Path
from typing import Any

import schemas.json_schema
from schemas.errors import BadInput

FOLDER = schemas.json_schema.JSON_DIR


def released_schemas(revision: str, folder: Path | None = None) -> dict[str, dict[str, Any]]:
    """Topic -> its newest JSON Schema at the revision; raises BadInput when git cannot tell."""
    folder = folder or FOLDER
    # An option in place of a revision would do something else than look.
    _git(folder, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}", of=revision)
    names = _git(folder, "ls-tree", "--name-only", revision, "./", of=revision).splitlines()
    files = sorted((name for name in names if name.endswith(".schema.json")), key=_version)
    if not files:
        raise BadInput(f"There are no schemas in {revision}. Name a revision that has schemas/json/.")
    return {
        name.partition(".v")[0]: json.loads(_git(folder, "show", f"{revision}:./{name}", of=revision)) for name in files
    }


def _version(name: str) -> tuple[str, int]:
    topic, _, rest = name.partition(".v")
    return topic, int(rest.partition(".")[0])


def _git(folder: Path, *arguments: str, of: str) -> str:
    try:
        done = subprocess.run(  # noqa: S603 - no shell, and the revision was verified
            ["git", "-C", str(folder), *arguments],  # noqa: S607 - whichever git the user has
            check=True,
            capture_output=True,
            text=True,
        )
    except FileNotFoundError as error:
        raise BadInput("git is not installed, so older contracts cannot be read.") from error
    except subprocess.CalledProcessError as error:
        said = error.stderr.strip() or "no such revision"
        raise BadInput(f"git does not know the contracts of {of!r}: {said}. `git tag` lists the releases.") from error
    return done.stdout
