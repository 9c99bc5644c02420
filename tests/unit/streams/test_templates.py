"""The templates that a worker holds: the newest good message of each key."""

import msgspec
from structlog.testing import capture_logs

from connectors.templates.registry import Templates
from schemas.templates import TemplateRegistered, template_key
from streams import metrics
from streams.templates import take

KEY = template_key("*", "reminder", "sms", "en")


def registered(text: str) -> bytes:
    return msgspec.json.encode(
        TemplateRegistered(tenant_id="*", template="reminder", channel="sms", language="en", text=text)
    )


def test_a_bad_message_is_told_and_leaves_what_was_in_force():
    templates, before = Templates(), metrics.TEMPLATES_REFUSED._value.get()
    take(templates, KEY, registered("Hello"))
    with capture_logs() as logs:
        for bad in (b"\xff", b"{}", registered("{{ 1 +")):
            take(templates, KEY, bad)
        for strange in (None, b"*|reminder|sms|de", b"\xff"):
            take(templates, strange, registered("Hello again"))
    assert len(templates) == 1
    assert [entry["event"] for entry in logs] == ["template refused"] * 6
    assert metrics.TEMPLATES_REFUSED._value.get() == before + 6
    take(templates, KEY, None)
    assert len(templates) == 0
