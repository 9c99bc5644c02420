"""Reads the end of log files, however long they have grown."""

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

LINES = 15
TAIL_BYTES = 64_000
FOLLOW_SECONDS = 0.2


def last_lines(log: Path, count: int = LINES, start: int = 0) -> tuple[str, ...]:
    """The last lines written from byte `start` on; none when there is no log."""
    try:
        with log.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            wanted = max(TAIL_BYTES, count * 256)
            file.seek(max(start, size - wanted))
            return tuple(file.read().decode(errors="replace").splitlines()[-count:])
    except OSError:
        return ()


def log_size(log: Path) -> int:
    """Bytes written so far."""
    try:
        return log.stat().st_size
    except OSError:
        return 0


def follow(log: Path, go_on: Callable[[], bool] = lambda: True) -> Iterator[str]:
    """Lines as they are written, from now on; goes on when the log is set aside and begun anew."""
    place, left, file_number = log_size(log), b"", _number(log)
    while go_on():
        if _number(log) != file_number or log_size(log) < place:
            place, left, file_number = 0, b"", _number(log)
        try:
            with log.open("rb") as file:
                file.seek(place)
                data = file.read()
        except OSError:
            data = b""
        if not data:
            time.sleep(FOLLOW_SECONDS)
            continue
        place += len(data)
        *lines, left = (left + data).split(b"\n")
        for line in lines:
            yield line.decode(errors="replace")


def _number(log: Path) -> int:
    """Tells one file from the next of the same name."""
    try:
        return log.stat().st_ino
    except OSError:
        return 0
