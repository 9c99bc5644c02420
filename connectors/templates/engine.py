"""The language of templates: Jinja2 in a sandbox, where a variable that is missing is an error and never an empty space."""

import datetime as dt
from collections.abc import Iterator
from functools import cache
from typing import Any

import jinja2
import msgspec
from babel import Locale
from jinja2 import nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from connectors.templates.money import Money, Style, written_amounts, written_date, written_money

FILTERS = frozenset({"capitalize", "default", "d", "escape", "e", "join", "lower", "replace", "title", "trim", "upper"})
"""Of Jinja's own; what is left out changes nothing that a contact needs, or makes markup of a customer's words."""
LOCALE = "_locale"


class Sandbox(ImmutableSandboxedEnvironment):
    """Also without the operators that make much out of little.

    Jinja reckons constants while it compiles: with `9 ** 9 ** 9` in a template a worker would be at it for ever.
    """

    intercepted_binops = frozenset({"*", "**", "%"})

    def call_binop(self, context: jinja2.runtime.Context, operator: str, left: Any, right: Any) -> Any:
        """Every intercepted operator comes here."""
        raise jinja2.exceptions.SecurityError(f"`{operator}` is not for templates: what they print is reckoned before")


class Missing(jinja2.StrictUndefined):
    """A variable without a value: it may be asked whether it is there, and nothing else."""

    __slots__ = ()

    def __bool__(self) -> bool:  # type: ignore[override]  # the base's never returns
        return False


class Printed(msgspec.Struct, frozen=True):
    """The variables that a text prints."""

    always: frozenset[str]
    sometimes: frozenset[str]
    """In some case only."""
    asked: frozenset[str]
    """Only asked about, as in `{% if phone %}`."""

    @property
    def all(self) -> frozenset[str]:
        return self.always | self.sometimes | self.asked


@cache
def environment(*, escapes: bool) -> Sandbox:
    """The environment of plain text, or of HTML, which escapes what it prints."""
    made = Sandbox(
        autoescape=escapes,
        undefined=Missing,
        lstrip_blocks=True,
        finalize=_finalize,
        loader=jinja2.DictLoader({}),  # a template stands alone: there is nothing to include
    )
    made.globals.clear()  # no range, no lipsum: nothing that makes something out of nothing
    made.filters = {name: function for name, function in made.filters.items() if name in FILTERS}
    made.filters |= {"money": _money, "date": _date}
    return made


def compile_source(source: str, *, escapes: bool) -> jinja2.Template:
    """A template ready to be rendered; raises `jinja2.TemplateSyntaxError`, which knows its line."""
    made = environment(escapes=escapes)
    tree = made.parse(source)
    for own in tree.find_all(nodes.EvalContextModifier):
        raise jinja2.TemplateSyntaxError("`autoescape` is not for templates to decide", own.lineno)
    return made.from_string(tree)


def render(template: jinja2.Template, values: dict[str, Any], locale: Locale) -> str:
    """The text; raises `jinja2.TemplateError` when a value is missing or may not be used so."""
    return template.render(values | {LOCALE: locale})


def printed(source: str) -> Printed:
    """What a text prints and what it asks about; raises `jinja2.TemplateSyntaxError`."""
    tree = environment(escapes=False).parse(source)
    always: set[str] = set()
    sometimes: set[str] = set()
    asked: set[str] = set()
    own = {name.name for name in tree.find_all(nodes.Name) if name.ctx in ("store", "param")}
    for node, certain, prints in _walk(tree, certain=True, prints=False):
        if node.ctx == "load" and node.name not in own:
            (asked if not prints else always if certain else sometimes).add(node.name)
    sometimes -= always
    return Printed(frozenset(always), frozenset(sometimes), frozenset(asked - always - sometimes))


def _walk(node: nodes.Node, *, certain: bool, prints: bool) -> Iterator[tuple[nodes.Name, bool, bool]]:
    """Every name, whether it is reached whatever happens, and whether it is printed there."""
    if isinstance(node, nodes.Name):
        yield node, certain, prints
        return
    for field, child in _children(node):
        child_certain = certain and _is_reached(node, field)
        child_prints = not _is_asked(node, field) and (
            prints or isinstance(node, nodes.Output | nodes.Assign | nodes.For)
        )
        yield from _walk(child, certain=child_certain, prints=child_prints)


def _children(node: nodes.Node) -> Iterator[tuple[str, nodes.Node]]:
    for field, value in node.iter_fields():
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, nodes.Node):
                yield field, child


def _is_reached(node: nodes.Node, field: str) -> bool:
    """Whether a child is reached whenever its parent is."""
    match node:
        case nodes.If() | nodes.CondExpr():
            return field == "test"
        case nodes.And() | nodes.Or():
            return False  # `a or b` prints one of them
        case nodes.Filter(name="default" | "d"):
            return False
        case nodes.Template() | nodes.Output() | nodes.Expr() | nodes.Helper():
            return True
        case _:  # loops, blocks, macros: whatever is in them may not be reached
            return False


def _is_asked(node: nodes.Node, field: str) -> bool:
    """Whether a child decides something and is not printed; what is kept by `set` or looped over may be."""
    conditional = isinstance(node, nodes.If | nodes.CondExpr) and field == "test"
    return conditional or isinstance(node, nodes.Test | nodes.Compare | nodes.Not)


@jinja2.pass_context
def _finalize(context: jinja2.runtime.Context, value: Any) -> Any:
    """Amounts and dates are printed in the template's language also without a filter."""
    if isinstance(value, tuple) and value and all(isinstance(part, Money) for part in value):
        return written_amounts(value, context[LOCALE])
    if isinstance(value, Money):
        return written_money(value, context[LOCALE])
    if isinstance(value, dt.date):
        return written_date(value, context[LOCALE])
    return value


@jinja2.pass_context
def _money(context: jinja2.runtime.Context, value: Any, currency: str | None = None) -> str:
    """`{{ amount | money }}`, or minor units with their currency: `{{ 1234 | money("EUR") }}`."""
    if isinstance(value, int) and currency is not None:
        value = Money(value, currency)
    if isinstance(value, Money):
        value = (value,)
    if not isinstance(value, tuple):
        raise jinja2.TemplateRuntimeError("`money` takes an amount, or minor units and their currency")
    return written_amounts(value, context[LOCALE])


@jinja2.pass_context
def _date(context: jinja2.runtime.Context, value: Any, style: Style = "long") -> str:
    """`{{ due_on | date("short") }}`."""
    if not isinstance(value, dt.date) or style not in ("short", "medium", "long", "full"):
        raise jinja2.TemplateRuntimeError("`date` takes a day, and short, medium, long or full")
    return written_date(value, context[LOCALE], style)
