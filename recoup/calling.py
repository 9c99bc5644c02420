"""How the user can call this program, for lines that work when they are pasted."""

import os
import shutil
import sys
from pathlib import Path

HOME = "RECOUP_HOME"


def command(home: Path | None = None) -> str:
    """The program as this shell finds it, under `home`, or under the home that the environment names."""
    program = "recoup" if shutil.which("recoup") else os.path.relpath(sys.argv[0])
    where = str(home) if home is not None else os.environ.get(HOME)
    return f"{HOME}={where} {program}" if where else program
