"""Kafka's jars: resolved from Maven Central once, checked, and remembered, so that a warm start asks nobody."""

import fcntl
import json
import os
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

from schemas.errors import NotReady

KAFKA_VERSION = "4.1.0"
BROKER = f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}"
LOG_BINDING = "org.apache.logging.log4j:log4j-slf4j-impl:2.24.3"
"""Without it the broker logs nothing. It is resolved by itself: together, its own list of versions would win."""
DOWNLOADS_AT_ONCE = 8
TOLD_EVERY = 10


def cache_directory() -> Path:
    """Where things live that every home of this user shares."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "recoup"


def memory_file() -> Path:
    """Remembers the jars of this version of Kafka, and their sizes."""
    return cache_directory() / f"kafka-{KAFKA_VERSION}-jars.json"


def registry_host() -> str:
    """Who is asked for the jars."""
    from jgo.constants import MAVEN_CENTRAL_URL  # noqa: PLC0415 - it takes 0.3 s

    return str(urlsplit(MAVEN_CENTRAL_URL).hostname)


def classpath(say: Callable[[str], None]) -> list[Path]:
    """The jars that run Kafka, all of them whole; downloads what is missing.

    Raises NotReady when Maven Central cannot be reached.
    """
    remembered = memory_file()
    remembered.parent.mkdir(parents=True, exist_ok=True)
    if jars := remembered_jars(remembered):
        return jars
    with remembered.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # Two first starts at once download once.
        if jars := remembered_jars(remembered):
            return jars
        say(f"looking for the jars of Kafka {KAFKA_VERSION} (46 files, 44 MB, downloaded once)")
        jars = _resolve(say)
        draft = remembered.with_suffix(".new")
        draft.write_text(json.dumps({str(jar): jar.stat().st_size for jar in jars}))
        draft.replace(remembered)
    return jars


def remembered_jars(remembered: Path) -> list[Path]:
    """The jars of an earlier start when all are still there and whole, else none."""
    try:
        sizes = json.loads(remembered.read_text())
        if sizes and all(Path(jar).stat().st_size == size for jar, size in sizes.items()):
            return [Path(jar) for jar in sizes]
    except (OSError, ValueError, AttributeError):
        pass
    return []


def _resolve(say: Callable[[str], None]) -> list[Path]:
    import jgo  # noqa: PLC0415 - it takes 0.3 s, once

    try:
        artifacts = [*jgo.resolve(BROKER), jgo.resolve(LOG_BINDING)[0]]
        jars: list[Path] = []
        with ThreadPoolExecutor(DOWNLOADS_AT_ONCE) as pool:
            for jar in pool.map(lambda artifact: Path(artifact.resolve()), artifacts):
                jars.append(jar)
                if len(jars) % TOLD_EVERY == 0:
                    say(f"{len(jars)} of {len(artifacts)} jars are here")
        if broken := [jar for jar in jars if not zipfile.is_zipfile(jar)]:
            say(f"{len(broken)} jars were cut short by an earlier download: loading them again")
            for jar in broken:
                jar.unlink()
            jars = [Path(artifact.resolve()) for artifact in artifacts]
    except Exception as error:  # jgo raises whatever its HTTP library raises
        raise NotReady(
            f"the jars of Kafka {KAFKA_VERSION} could not be had from Maven Central: {type(error).__name__}: {error}. "
            "They are downloaded once; check the network and run `recoup up` "
            "again, or point RECOUP_KAFKA__BOOTSTRAP_SERVERS at a broker."
        ) from error
    return jars
