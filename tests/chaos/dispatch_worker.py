"""A dispatch worker whose only provider is a double: `python -m tests.chaos.dispatch_worker URL SLOT`.

The worker is the real one; only the providers and the wording are other ones.
"""

import sys
from typing import Any

from recoup.settings import Settings
from recoup.worker import run
from streams.dispatch import agent
from tests.chaos.provider_double import Double
from tests.dispatch_world import plainly


def main() -> None:
    url, slot = sys.argv[1:]

    def open_channels(*_: Any, **__: Any) -> Any:
        return {"email": (Double(url, idempotent=True),), "letter": (Double(url, idempotent=False),)}

    agent.open_channels = open_channels  # type: ignore[attr-defined]
    agent.FromTemplates = lambda *_: plainly  # type: ignore[assignment,attr-defined]
    run(agent.build, job="dispatch", slot=int(slot), web_port=0, log_level="info", settings=Settings())


if __name__ == "__main__":
    main()
