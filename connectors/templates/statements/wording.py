"""What the law wants said, in words: each language says all of it, and a rule that does not bind makes it empty."""

import importlib.resources
from functools import cache
from typing import Annotated

import msgspec
import yaml
from msgspec import Meta

from schemas.envelope import Channel
from schemas.errors import BadInput

Wording = Annotated[str, Meta(min_length=1)]


class OptOut(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How to get no more contacts, by channel."""

    email: Wording
    email_link: Wording
    """Where the tenant has a page for it: `{unsubscribe}`."""
    sms: Wording
    call: Wording
    voicemail: Wording
    letter: Wording

    def of(self, channel: Channel, *, link: bool) -> str:
        """The sentence for a channel."""
        said: str = getattr(self, "email_link" if channel == "email" and link else channel)
        return said


class Statements(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One language's file; the names are those that compliance rules ask for."""

    opt_out: OptOut
    mini_miranda: Wording
    """12 CFR 1006.18(e): of the first contact; covers the later ones."""
    from_debt_collector: Wording
    reply_request: Wording
    salutation: Wording
    validation_information: Wording
    """12 CFR 1006.34(c), in a form of its own: not Model Form B-1, so not its safe harbour."""
    what: Wording
    what_of_one: Wording


@cache
def statements(language: str) -> Statements | None:
    """The statements in a language (BCP 47; a country in it makes no difference); None = nobody has worded them."""
    folder = importlib.resources.files("connectors.templates.statements")
    file = folder / f"{language.partition('-')[0]}.yaml"
    if not file.is_file():
        return None
    try:
        return msgspec.convert(yaml.safe_load(file.read_text("utf-8")), Statements)
    except (yaml.YAMLError, msgspec.ValidationError) as error:
        raise BadInput(f"{file.name} of the statements cannot be used: {error}") from error
