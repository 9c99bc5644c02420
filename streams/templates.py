"""The templates in force, held by a worker: each message of their topic as it comes, and a bad one only told of."""

from typing import Any

import faust
import structlog

from connectors.templates.registry import Templates
from schemas.errors import BadInput
from streams import metrics

TEMPLATES = "templates"

log = structlog.get_logger()


def follow_templates(app: faust.App, templates: Templates) -> None:
    """Take each template as it is registered; `templates` is what contacts are rendered from."""
    topic = app.topic(TEMPLATES, value_serializer="raw", key_serializer="raw", internal=False)

    @app.agent(topic, name="templates")
    async def take_template(stream: Any) -> None:
        async for key, value in stream.items():
            take(templates, key, value)


def take(templates: Templates, key: bytes | None, value: bytes | None) -> None:
    """Put one message in force; one that is no usable template leaves what was in force."""
    try:
        templates.take(key, value)
    except BadInput as error:
        metrics.TEMPLATES_REFUSED.inc()
        log.warning("template refused", key=(key or b"").decode(errors="replace"), error=str(error))
