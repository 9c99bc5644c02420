"""What keeps a template from being registered: found before anybody is contacted with it, and told with its place."""

from collections.abc import Iterator
from typing import Any

import jinja2
import msgspec

from connectors.templates.engine import Printed, printed
from connectors.templates.engine import render as fill
from connectors.templates.money import amounts, locale_of
from connectors.templates.registry import Ready, ready
from connectors.templates.shown import readable
from connectors.templates.statements.wording import statements
from connectors.templates.variables import CATALOGUE
from models.calendar import date_of
from models.compliance.content import Scope, TemplateContent, lacking
from schemas.errors import BadInput
from schemas.templates import TemplateRegistered

SMS_LENGTH = 1_600
"""What providers take for one text."""
VOICES = ("call", "voicemail")
OPT_OUT_PURPOSES = ("collection", "transactional", "consent_request", "validation_notice")

SAMPLE: dict[str, Any] = dict.fromkeys(CATALOGUE, "sample") | {
    "amount": amounts("1234.56 EUR, 20 JPY"),
    "due_on": date_of(20_500),
    "sent_at": date_of(20_520),
    "validation_period_ends": date_of(20_560),
    "invoices": 2,
    "invoice_id": "INV-1",
}
"""A value of its kind for each variable."""


class Fault(msgspec.Struct, frozen=True):
    """What is wrong with a template, and where."""

    part: str
    """`text`, `html`, `subject`, or the field that is wrong."""
    says: str
    line: int | None = None
    """Of the part, from 1."""


def faults(template: TemplateRegistered, scope: Scope) -> list[Fault]:
    """Everything that is wrong with a template; empty = it may be registered.

    Args:
        scope: where and by whom it may be used.

    Raises:
        BadInput: a rule pack, or the wording of a statement, is wrong.
    """
    found = [*_misfits(template)]
    parts: dict[str, Printed] = {}
    for part, source in _sources(template):
        try:
            parts[part] = printed(source)
        except jinja2.TemplateSyntaxError as error:
            found.append(Fault(part, f"{error.message}", error.lineno))
            continue
        found += _unknown(part, source, parts[part])
    if found or len(parts) < len(list(_sources(template))):
        return found
    try:
        its = ready(template)
    except BadInput as error:
        return [Fault("text", str(error))]
    for part, compiled in _compiled(its):
        parts[part] = readable(parts[part], compiled, its.locale, SAMPLE)
    content = content_of(template, parts)
    found += [Fault("text", says) for says in _unsaid(template, content.always)]
    found += [Fault("text", f"{lack.rule}: {lack.says}") for lack in lacking(content, scope)]
    return found or [*_unrenderable(its)]


def content_of(template: TemplateRegistered, parts: dict[str, Printed]) -> TemplateContent:
    """What the rules ask about: what is always printed stands in the text and in the HTML, for one of them is read."""
    bodies = [parts[part] for part in ("text", "html") if part in parts]
    always = frozenset.intersection(*[body.always for body in bodies])
    return TemplateContent(
        channel=template.channel,
        purpose=template.purpose,
        mode=template.mode,
        occasion=template.occasion,
        always=always,
        sometimes=frozenset().union(*[part.always | part.sometimes for part in parts.values()]) - always,
    )


def _sources(template: TemplateRegistered) -> Iterator[tuple[str, str]]:
    yield "text", template.text
    if template.html is not None:
        yield "html", template.html
    if template.subject is not None:
        yield "subject", template.subject


def _misfits(template: TemplateRegistered) -> Iterator[Fault]:
    channel, language = template.channel, template.language
    if locale_of(language) is None:
        yield Fault("language", f"there are no rules for writing amounts and dates in {language}")
    if statements(language) is None:
        yield Fault("language", f"what the law wants said is not worded in {language}; there are en, de and es")
    if channel == "email" and template.subject is None:
        yield Fault("subject", "an e-mail needs a subject")
    if channel not in ("email", "letter") and template.subject is not None:
        yield Fault("subject", f"a {channel} has no subject")
    if channel != "email" and template.html is not None:
        yield Fault("html", f"a {channel} has no HTML")
    if channel not in VOICES and template.mode != "live":
        yield Fault("mode", f"a {channel} is not spoken")


def _unknown(part: str, source: str, names: Printed) -> Iterator[Fault]:
    for name in sorted(names.all - CATALOGUE.keys()):
        line = next((number for number, text in enumerate(source.splitlines(), 1) if name in text), None)
        yield Fault(part, f"unknown variable `{name}`; there are {', '.join(sorted(CATALOGUE))}", line)


def _unsaid(template: TemplateRegistered, always: frozenset[str]) -> Iterator[str]:
    """What we ask of every template, wherever it is used: who writes, and how to get no more of it."""
    if "business_name" not in always:
        yield "must print {{ business_name }}, whatever happens"
    wants_opt_out = template.channel in ("email", "sms") and template.purpose in OPT_OUT_PURPOSES
    if wants_opt_out and "opt_out" not in always:
        yield "must print {{ opt_out }}, whatever happens"


def _compiled(its: Ready) -> Iterator[tuple[str, jinja2.Template]]:
    for part, compiled in (("text", its.text), ("html", its.html), ("subject", its.subject)):
        if compiled is not None:
            yield part, compiled


def _unrenderable(its: Ready) -> Iterator[Fault]:
    """Faults that show only with values: a filter that does not fit, an attribute that is none, a text too long."""
    for part, compiled in _compiled(its):
        try:
            said = fill(compiled, SAMPLE, its.locale)
        except (jinja2.TemplateError, TypeError, ValueError, ArithmeticError) as error:
            yield Fault(part, f"cannot be rendered: {error}")
            continue
        if not said.strip():
            yield Fault(part, "says nothing")
        if its.registered.channel == "sms" and len(said) > SMS_LENGTH:
            yield Fault(part, f"has {len(said)} characters; a text has at most {SMS_LENGTH}")
