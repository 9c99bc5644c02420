"""Which variables can be read in what a template makes: one that is cut away, or put into a comment, is not said.

Found by their effect: each gets a word of its own, and what is rendered holds it or does not.
"""

import re
from collections.abc import Mapping
from typing import Any

import jinja2
import msgspec
from babel import Locale

from connectors.templates.engine import Printed, render

UNREAD = re.compile("<!--.*?(?:-->|$)|<(style|script|template)\\b.*?(?:</\\1\\s*>|$)", re.DOTALL | re.IGNORECASE)
"""Of HTML, what nobody is shown."""


def readable(part: Printed, compiled: jinja2.Template, locale: Locale, sample: Mapping[str, Any]) -> Printed:
    """The same, where what is always printed can also be read whole, in whatever case of letters.

    Amounts, days and numbers are believed: what is written of them is made by their language.

    Args:
        sample: a value of its kind for each variable.
    """
    words = {name: f"qx{place}xq" for place, name in enumerate(sorted(sample)) if isinstance(sample[name], str)}
    try:
        said = render(compiled, {**sample, **words}, locale)
    except (jinja2.TemplateError, TypeError, ValueError, ArithmeticError):
        return part  # whoever renders it next says why it cannot be
    seen = UNREAD.sub(" ", said).casefold()
    lost = frozenset(name for name in part.always if name in words and words[name] not in seen)
    return msgspec.structs.replace(part, always=part.always - lost, sometimes=part.sometimes | lost)
