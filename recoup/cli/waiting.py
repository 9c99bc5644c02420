"""Says on the error stream that something still runs, once it has run for two seconds."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from models.clock import WallClock

SILENT_SECONDS = 2.0
LINE_SECONDS = 5.0
"""Between two lines where no terminal shows one that changes."""


@contextmanager
def waiting(what: str, beside: Callable[[], str] = lambda: "") -> Iterator[None]:
    """Meanwhile tell how long it has taken, and what `beside` says, which is asked in another thread."""
    from rich.console import Console

    console = Console(stderr=True, highlight=False)
    done, began = threading.Event(), WallClock().now()

    def said() -> str:
        return f"{what} {(WallClock().now() - began) / 1000:.0f} s  {beside()}".rstrip()

    def tell() -> None:
        if done.wait(SILENT_SECONDS):
            return
        if not console.is_terminal:
            console.print(said())
            while not done.wait(LINE_SECONDS):
                console.print(said())
            return
        with console.status(said()) as status:
            while not done.wait(1.0):
                status.update(said())

    thread = threading.Thread(target=tell, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
