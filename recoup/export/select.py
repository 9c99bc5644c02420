"""The SELECT that exports a table or view by its name, for one tenant and some days."""

import datetime as dt
import difflib
from collections.abc import Sequence

from connectors.clickhouse.catalogue import TENANT, Relation
from connectors.clickhouse.statements import Name
from schemas.errors import BadInput

DAYS = ("day", "occurred_at", "hour", "minute", "week", "month", "placed_month", "decided_at", "at")
"""The columns that say when, the first one that a table has counts."""


def select(
    relations: Sequence[Relation],
    database: str,
    name: str,
    *,
    tenant: str | None = None,
    first: dt.date | None = None,
    last: dt.date | None = None,
) -> tuple[str, dict[str, str]]:
    """A statement with places, and the values for them.

    Args:
        relations: what there is.
        database: where.
        name: of a table or view that people read.
        tenant: only its rows.
        first: only from this day on; of instants, UTC.
        last: only up to this day, with it.

    Raises:
        BadInput: there is no such table, or it does not say what is asked for.
    """
    relation = _named(relations, name)
    columns = [column.name for column in relation.columns]
    conditions: list[str] = []
    values: dict[str, str] = {}
    if tenant is not None:
        if TENANT not in columns:
            raise BadInput(f"{name} does not say of which tenant its rows are: leave --tenant out.")
        conditions.append(f"{TENANT} = {{tenant:String}}")
        values["tenant"] = tenant
    if first or last:
        when = next((column for column in DAYS if column in columns), None)
        if when is None:
            raise BadInput(f"{name} has no column that says when: leave --from and --to-day out.")
        if first and last and first > last:
            raise BadInput(f"--from {first} is after --to-day {last}.")
        for sign, name_, day in ((">=", "first", first), ("<=", "last", last)):
            if day:
                conditions.append(f"toDate32({Name(when)}) {sign} {{{name_}:Date32}}")
                values[name_] = day.isoformat()
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    return f"SELECT * FROM {Name(database)}.{Name(name)}{where}", values  # noqa: S608 - names quoted, values bound


def _named(relations: Sequence[Relation], name: str) -> Relation:
    found = next((relation for relation in relations if relation.name == name), None)
    people_read = [relation.name for relation in relations if relation.kind in ("view", "landed")]
    if found is None:
        near = difflib.get_close_matches(name, people_read, n=3)
        hint = f"Did you mean {' or '.join(near)}?" if near else "`recoup query 'SHOW TABLES'` names what there is."
        raise BadInput(f"There is no table or view {name!r}. {hint}")
    if found.kind not in ("view", "landed"):
        raise BadInput(
            f"{name} is internal: it holds states that only its view can read. Export the view, or use --sql."
        )
    return found
