"""`recoup console` as a user starts it."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def console(home: Path, *options: str, **environment: str) -> Iterator[str]:
    """The address of a console that runs as a user starts it."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith("RECOUP_")}
    running = subprocess.Popen(  # noqa: S603 - our own command
        [sys.executable, "-m", "recoup.cli.main", "console", "--json", *(options or ("--port", "0"))],
        env=variables | {"RECOUP_HOME": str(home)} | environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert running.stdout is not None
        yield json.loads(running.stdout.readline())["url"]
    finally:
        running.terminate()
        assert running.wait(60) == 0
        assert not (home / "run" / "console.json").exists()
