"""The templates topic: what contacts say, in which language, and since when; the newest message of a key is in force."""

from typing import Annotated, Literal

from msgspec import Meta

from schemas.envelope import Channel, ContactMode, Control, Name, Purpose

TemplateName = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$(?!\n)")]
Language = Annotated[str, Meta(pattern=r"^[a-z]{2,3}(-[A-Z]{2})?$(?!\n)", description="BCP 47, such as en or es-US.")]
Source = Annotated[str, Meta(min_length=1, max_length=50_000, description="Jinja2, rendered in a sandbox.")]

EVERYBODY = "*"
"""The tenant of templates for all who have none of their own."""


class TemplateRegistered(Control, frozen=True, kw_only=True, tag="template.registered"):
    """A tenant's contacts under this name, channel and language read so; tenant `*` = those of all tenants."""

    template: TemplateName
    channel: Channel
    language: Language
    text: Source
    """Plain text; of a call or voicemail what is spoken."""
    html: Source | None = None
    subject: Annotated[str, Meta(max_length=500)] | None = None
    purpose: Purpose = "collection"
    mode: ContactMode = "live"
    """Of a call or voicemail: whether a person speaks it or a machine."""
    occasion: Literal["initial", "later", "any"] = "any"
    """Whether it is for the first contact about a debt, for later ones, or for both."""
    registered_by: Name = ""


def template_key(tenant_id: str, template: str, channel: str, language: str) -> bytes:
    """The key of a template's messages."""
    return f"{tenant_id}|{template}|{channel}|{language}".encode()
