"""One page that shows live what flows, what is owed, what is decided and why. Open `serve.py` first."""

from recoup.console.beside import start_beside

__all__ = ["start_beside"]
