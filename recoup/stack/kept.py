"""Workers that outlive the command that started them, and how they are found and stopped again."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from recoup.stack.process import Process

STOP_SECONDS = 20.0


def keep_workers(home: Path, workers: Sequence[tuple[str, int]]) -> None:
    """Start these workers (job, slot) on their own; nobody starts them again when they fail."""
    environment = os.environ | {"RECOUP_HOME": str(home), "OMP_NUM_THREADS": "1"}
    for job, slot in workers:
        name = f"{job}-{slot}"
        Process.start(
            name,
            [sys.executable, "-m", "recoup.cli.main", "worker", job, "--slot", str(slot)],
            home / "logs" / f"worker-{name}.log",
            env=environment,
            pid_file=home / "run" / f"kept-{name}.pid",
        )


def stop_kept_workers(home: Path) -> list[str]:
    """Stop the workers that were left running under this home, and say which those were."""
    found: dict[Path, Process] = {}
    for path in sorted((home / "run").glob("kept-*.pid")):
        process = Process.recorded(path.stem.removeprefix("kept-"), path)
        if process is not None and process.alive():
            found[path] = process
            process.terminate()
        else:
            path.unlink(missing_ok=True)
    for path, process in found.items():
        process.stop(STOP_SECONDS)
        path.unlink(missing_ok=True)
    return [process.name for process in found.values()]
