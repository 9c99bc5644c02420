"""The real engine with a configuration of one's own, in a process of its own: users, policies and disks work there.

The local stack's endpoint has none of these, and one process holds one engine.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

SECONDS = 30
"""How long an answer that is waited for may take to come."""

ASK = """
import json, sys, time
import chdb

connection = chdb.connect(sys.argv[1])


def answer(sql):
    try:
        return str(connection.query(sql, "TabSeparatedRaw")).rstrip("\\n")
    except RuntimeError as error:
        return str(error)


answers = []
for sql, wanted in json.load(sys.stdin):
    deadline = time.monotonic() + float(sys.argv[2])
    answers.append(answer(sql))
    while wanted not in (None, answers[-1]) and time.monotonic() < deadline:
        time.sleep(0.1)
        answers[-1] = answer(sql)
json.dump(answers, sys.stdout)
"""


def ask_the_engine(
    folder: Path, questions: Sequence[str | tuple[str, str]], *, data: Path | None = None, storage: str = ""
) -> list[str]:
    """Answers, or errors, one for each question.

    Args:
        folder: where its configuration goes; a `users.xml` in it is its file of users.
        questions: a statement, or a statement and the answer that it is asked again for.
        data: the engine's own folder, if it has data already.
        storage: what is in `storage_configuration`.
    """
    users = folder / "users.xml"
    directories = f"<user_directories><users_xml><path>{users}</path></users_xml></user_directories>"
    parts = (directories if users.exists() else "") + f"<storage_configuration>{storage}</storage_configuration>"
    (folder / "config.xml").write_text(f"<clickhouse>{parts}</clickhouse>")
    where = f"{data or folder / 'data'}?config-file={folder / 'config.xml'}"
    asked = [(one, None) if isinstance(one, str) else one for one in questions]
    done = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-c", ASK, where, str(SECONDS)],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        check=True,
    )
    answers: list[str] = json.loads(done.stdout)
    return answers
