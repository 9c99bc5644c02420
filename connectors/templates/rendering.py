"""A contact put into words: the whole message, or the code that says why it cannot be said. Nothing is sent with a gap."""

import re

import jinja2
import msgspec

from connectors.channels.channel import Message
from connectors.templates.engine import render as fill
from connectors.templates.registry import Ready, Templates
from connectors.templates.statements.wording import statements
from connectors.templates.variables import Contact, values
from models.addresses import postal_lines
from schemas.control import Sender

NO_TEMPLATE = "no_template"
"""None of this name, for this channel, in a language of the chain."""
WRONG_PURPOSE = "wrong_template"
"""The template is registered for another purpose, or for another voice."""
UNSAYABLE = "template"
"""Followed by what is missing, such as `template:phone`."""
CODE_LENGTH = 200


def render(templates: Templates, contact: Contact) -> Message | str:
    """The message of a contact request, or the code of `contact.failed`; never anything personal in the code."""
    request, tenant = contact.request, contact.tenant
    found = templates.find(tenant, request.template, request.channel, request.language)
    if found is None:
        return NO_TEMPLATE
    its = found.registered
    if its.purpose != request.purpose or (request.channel in ("call", "voicemail") and its.mode != request.mode):
        return WRONG_PURPOSE
    return _filled(found, contact)


def _filled(found: Ready, contact: Contact) -> Message | str:
    request, tenant = contact.request, contact.tenant
    language = found.registered.language
    said = statements(language)
    if said is None:
        return f"{UNSAYABLE}:statements {language}"
    try:
        known = values(contact, said, found.locale)
    except ValueError:
        return f"{UNSAYABLE}:variables"
    try:
        text = tidy(fill(found.text, known, found.locale))
        html = None if found.html is None else fill(found.html, known, found.locale)
        subject = None if found.subject is None else " ".join(fill(found.subject, known, found.locale).split())
    except jinja2.UndefinedError as error:  # says no more than the name
        return f"{UNSAYABLE}:{_name(error)}"[:CODE_LENGTH]
    except (jinja2.TemplateError, TypeError, ValueError, ArithmeticError) as error:
        return f"{UNSAYABLE}:{type(error).__name__}"
    if not text:
        return f"{UNSAYABLE}:empty"
    return Message(
        key=request.idempotency_key,
        contact_id=request.contact_id,
        tenant_id=request.tenant_id,
        account_id=request.account_id,
        channel=request.channel,
        address=addressed(contact),
        template=request.template,
        text=text,
        html=html,
        subject=subject,
        language=language,
        sender=named(tenant.sender, tenant.name),
        purpose=request.purpose,
        mode=request.mode,
    )


def tidy(text: str) -> str:
    """The text without the gaps that an empty statement leaves."""
    text = re.sub(r"(?<=\S)[ \t]{2,}(?=\S)", " ", text)
    text = re.sub(r"[ \t]+$", "", text, flags=re.MULTILINE)
    return re.sub(r"\n{3,}", "\n\n", text).strip()


def addressed(contact: Contact) -> str:
    """Where it goes; a letter's first line is the customer's name."""
    request, name = contact.request, contact.crm.profile.name
    if request.channel != "letter" or not name:
        return request.address
    return "\n".join([" ".join(name.split()), *postal_lines(request.address)])


def named(sender: Sender, tenant_name: str) -> Sender:
    """The sender with a name in it."""
    return sender if sender.name else msgspec.structs.replace(sender, name=tenant_name)


def _name(error: jinja2.UndefinedError) -> str:
    """The variable that is missing: Jinja says `'phone' is undefined`."""
    said = (error.message or "").split("'")
    return said[1] if len(said) > 2 else "undefined"
