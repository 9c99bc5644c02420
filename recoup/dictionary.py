"""The data dictionary: one page that holds every table, view and column of the database, in the words of its comments."""

from collections import Counter
from collections.abc import Iterable, Iterator

from clickhouse_connect.driver.client import Client

from connectors.clickhouse.catalogue import Column, Kind, Relation, catalogue
from schemas.errors import NotReady

COMMON_TO = 8
"""A column that means the same in so many landed tables is described once."""

GROUPS: dict[Kind, tuple[str, str]] = {
    "view": (
        "Views: ask these first",
        "Finished numbers. Grafana, the notebooks and the console read nothing else but these and the landed tables.",
    ),
    "landed": (
        "Landed tables",
        "Every message of every topic, exactly one row each. What all of them have is described first.",
    ),
    "internal": (
        "Internal tables",
        "The states behind the views, and what the pipeline keeps for itself. They change without notice.",
    ),
    "feeder": (
        "Feeders",
        "Materialized views that fill the internal tables as rows land, or every few minutes. Nobody reads them.",
    ),
}

HEAD = """\
# Data dictionary

Every table, view and column of the warehouse, in the words of its own SQL comments: `DESCRIBE` says the same in any
client. Made by `recoup dictionary`; do not edit. How to ask, with examples: [warehouse.md](warehouse.md).

Money is in whole minor units (`*_minor`, cents) with its ISO 4217 `currency`, and is never added up over currencies.
Instants (`*_at`) are UTC. Days of money are days of the tenant's calendar. Shares and rates are 0 to 1.
"""


def dictionary(client: Client, database: str) -> str:
    """The page, as Markdown.

    Raises:
        NotReady: the database has no tables.
    """
    relations = catalogue(client, database)
    if not relations:
        raise NotReady(f"The database {database} has no tables: run `recoup migrate`.")
    return "\n".join([HEAD, *_contents(relations), *_sections(relations)]).rstrip() + "\n"


def silent(relations: Iterable[Relation]) -> list[str]:
    """Every table and view, and every column that can have one, without a comment: `table` or `table.column`.

    The columns of a materialized view are those of the table that it fills.
    """
    found: list[str] = []
    for relation in relations:
        if not relation.comment:
            found.append(relation.name)
        if relation.kind != "feeder":
            found += [f"{relation.name}.{column.name}" for column in relation.columns if not column.comment]
    return found


def _contents(relations: list[Relation]) -> Iterator[str]:
    yield "| name | what it holds |\n| --- | --- |"
    for kind in ("view", "landed"):
        for relation in _of(kind, relations):
            yield f"| [{relation.name}](#{relation.name}) | {_cell(first_sentence(relation.comment))} |"
    yield ""


def _sections(relations: list[Relation]) -> Iterator[str]:
    common = _common(relations)
    for kind, (title, says) in GROUPS.items():
        if not (of_kind := _of(kind, relations)):
            continue
        yield f"## {title}\n\n{says}\n"
        if kind == "feeder":
            yield "| feeder | reads | what it does |\n| --- | --- | --- |"
            yield from (f"| {one.name} | {', '.join(one.reads)} | {_cell(one.comment)} |" for one in of_kind)
            continue
        if kind == "landed":
            yield "### Columns of every landed table\n"
            yield from _columns(common)
        for relation in of_kind:
            yield from _relation(relation, common if kind == "landed" else ())


def _relation(relation: Relation, common: tuple[Column, ...]) -> Iterator[str]:
    yield f"### {relation.name}\n\n{relation.comment}\n"
    about = []
    if relation.reads:
        about.append("Made of " + ", ".join(f"[{name}](#{name})" for name in relation.reads) + ".")
    if relation.sorting_key:
        about.append(f"Ordered by `{relation.sorting_key}`.")
    if relation.partition_key:
        about.append(f"Partitioned by `{relation.partition_key}`.")
    if about:
        yield " ".join(about) + "\n"
    own = tuple(column for column in relation.columns if column not in common)
    yield from _columns(own)


def _columns(columns: Iterable[Column]) -> Iterator[str]:
    yield "| column | type | meaning |\n| --- | --- | --- |"
    for column in columns:
        yield f"| {column.name} | {_cell(f'`{_short(column.type)}`')} | {_cell(column.comment)} |"
    yield ""


def _common(relations: list[Relation]) -> tuple[Column, ...]:
    landed = _of("landed", relations)
    seen = Counter(column for relation in landed for column in relation.columns)
    common = {column for column, times in seen.items() if times >= COMMON_TO}
    fullest = max(landed, key=lambda relation: len(common.intersection(relation.columns)), default=None)
    return tuple(column for column in fullest.columns if column in common) if fullest else ()


def _of(kind: Kind, relations: Iterable[Relation]) -> list[Relation]:
    return [relation for relation in relations if relation.kind == kind]


def first_sentence(comment: str) -> str:
    """A comment up to its first full stop that ends a sentence."""
    head, stop, _ = comment.partition(". ")
    return head + "." if stop else head


def _short(kind: str) -> str:
    """A type without what says nothing to a reader."""
    return kind.replace("LowCardinality(String)", "String").replace("DateTime64(3, 'UTC')", "DateTime64(3)")


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
