"""The templates in force, ready to be rendered: one that cannot be used is refused, and what was in force stays."""

from collections.abc import Iterator

import jinja2
import msgspec
from babel import Locale

from connectors.templates.engine import compile_source, printed
from connectors.templates.money import locale_of
from schemas.control import Tenant
from schemas.errors import BadInput
from schemas.templates import EVERYBODY, TemplateRegistered, template_key

_DECODER = msgspec.json.Decoder(TemplateRegistered)


class Ready(msgspec.Struct, frozen=True):
    """A template that was compiled."""

    registered: TemplateRegistered
    locale: Locale
    text: jinja2.Template
    html: jinja2.Template | None
    subject: jinja2.Template | None
    needs: frozenset[str]
    """Variables without which it cannot be rendered."""


class Templates:
    """The templates of all tenants, fed from their topic."""

    def __init__(self) -> None:
        self._ready: dict[bytes, Ready] = {}

    def __len__(self) -> int:
        return len(self._ready)

    def take(self, key: bytes | None, value: bytes | None) -> None:
        """Put a message of the topic in force; an empty one ends its template.

        Raises:
            BadInput: it is no template, has another one's key, or cannot be compiled; nothing has changed.
        """
        if not value:
            self._ready.pop(key or b"", None)
            return
        registered = decode_template(value)
        if key != key_of(registered):  # it could not be ended by its key, and would be lost when the topic is compacted
            raise BadInput("This template is not published under its own key: tenant|template|channel|language.")
        self.put(registered)

    def put(self, registered: TemplateRegistered) -> None:
        """Put a template in force; raises BadInput when it cannot be compiled."""
        self._ready[key_of(registered)] = ready(registered)

    def find(self, tenant: Tenant, template: str, channel: str, language: str | None) -> Ready | None:
        """The template in the first language of the chain that it speaks, the tenant's own before everybody's."""
        for spoken in languages(language, tenant.language):
            for owner in (tenant.tenant_id, EVERYBODY):
                found = self._ready.get(template_key(owner, template, channel, spoken))
                if found is not None:
                    return found
        return None


def key_of(registered: TemplateRegistered) -> bytes:
    """The key of a template's messages."""
    return template_key(registered.tenant_id, registered.template, registered.channel, registered.language)


def decode_template(value: bytes) -> TemplateRegistered:
    """Read a message of the templates topic; raises BadInput."""
    try:
        return _DECODER.decode(value)
    except msgspec.MsgspecError as error:
        raise BadInput(f"This is no template: {error}.") from error


def ready(registered: TemplateRegistered) -> Ready:
    """Compile a template; raises BadInput, which says where it is wrong."""
    its = registered
    locale = locale_of(its.language)
    if locale is None:
        raise BadInput(f"There are no rules for writing amounts and dates in the language {its.language}.")
    sources = [source for source in (its.text, its.html, its.subject) if source is not None]
    try:
        return Ready(
            registered=its,
            locale=locale,
            text=compile_source(its.text, escapes=False),
            html=None if its.html is None else compile_source(its.html, escapes=True),
            subject=None if its.subject is None else compile_source(its.subject, escapes=False),
            needs=frozenset().union(*[printed(source).always for source in sources]),
        )
    except jinja2.TemplateSyntaxError as error:
        raise BadInput(
            f"Template {its.template} ({its.channel}, {its.language}), line {error.lineno}: {error}."
        ) from error


def languages(wanted: str | None, default: str) -> Iterator[str]:
    """The chain: what the customer speaks, without its country, then the same of the tenant's default; each once.

    A language as the CRM writes it, such as `es_us` or `ES`, is read as the one that is meant.
    """
    seen: set[str] = set()
    for language in (wanted, default):
        base, _, country = (language or "").strip().replace("_", "-").partition("-")
        for name in (f"{base.lower()}-{country.upper()}" if country else "", base.lower()):
            if name and name not in seen:
                seen.add(name)
                yield name
