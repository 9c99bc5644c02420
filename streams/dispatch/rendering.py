"""A request in the words of the template in force, with what is true of the account as it is sent."""

from connectors.channels.channel import Message
from connectors.templates.registry import Templates
from connectors.templates.rendering import render
from connectors.templates.variables import Contact
from models.clock import Clock
from schemas.contacts import ContactRequested
from streams.dispatch.check import Cleared


class FromTemplates:
    """Renders from the templates that the worker holds; each message as of the moment it is asked for."""

    def __init__(self, templates: Templates, clock: Clock) -> None:
        self.templates = templates
        self.clock = clock

    def __call__(self, request: ContactRequested, cleared: Cleared) -> Message | str:
        """The message, or the code that says what is missing."""
        contact = Contact(request, cleared.tenant, cleared.state.facts.crm, cleared.variables, self.clock.now())
        return render(self.templates, contact)
