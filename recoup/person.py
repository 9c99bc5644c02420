"""Who runs a command, for what is recorded under a name."""

import getpass


def name() -> str:
    """The user's name; empty where there is none, as in a container that only knows a number."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""
