"""Runs a command that the kernel kills when its parent dies, even by SIGKILL.

Used as `python -m recoup.stack.tied PARENT_PID COMMAND...`. The order survives the exec; setting it between
fork and exec in a parent with threads could deadlock.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    """Become the command."""
    parent, *command = sys.argv[1:]
    os.setpgrp()  # Ctrl-C on a terminal goes to the whole group; the parent decides when its children stop
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != int(parent):
        sys.exit("the parent died before its child was ready")
    os.execvp(command[0], command)  # noqa: S606 - our own command


if __name__ == "__main__":
    main()
