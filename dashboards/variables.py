"""What a dashboard's reader chooses: tenants, and one currency, because money of two is never added."""

from grafana_foundation_sdk.builders.dashboard import QueryVariable
from grafana_foundation_sdk.models.dashboard import VariableHide, VariableOption, VariableRefresh, VariableSort

from dashboards.macros import ALL
from dashboards.queries import CLICKHOUSE, read
from schemas.currencies import CURRENCIES, decimals

USUAL_DECIMALS = 2


def tenant() -> QueryVariable:
    """Every tenant that the warehouse knows of; several at once, at first all."""
    return _many("tenant", "Tenant", "Whose customers. Several may be chosen; row policies still decide what is seen.")


def currency() -> QueryVariable:
    """The currencies of the chosen tenants, the one with the most money first."""
    return (
        _asked("currency", "Currency", read("variables/currency"))
        .description("Of all money and of the contacts about it. Amounts of two currencies are never added.")
        .refresh(VariableRefresh.ON_DASHBOARD_LOAD)
    )


def minor_per_unit() -> QueryVariable:
    """Hidden: how many minor units one unit of the chosen currency has, 100 for most, 1 for JPY, 1000 for BHD."""
    return (
        _asked("minor_per_unit", "Minor units", minor_units())
        .description("Minor units in one unit of the currency; what amounts are divided by.")
        .hide(VariableHide.HIDE_VARIABLE)
        .refresh(VariableRefresh.ON_DASHBOARD_LOAD)
    )


def channel() -> QueryVariable:
    """The channels that were used."""
    return _many("channel", "Channel", "How customers are contacted.")


def model() -> QueryVariable:
    """The models that scored."""
    return _many("model", "Model", "The models that scored, in force and beside it.")


def minor_units() -> str:
    """SQL for the minor units of `$currency`, out of the list that the message contracts rest on."""
    odd = sorted(name for name in CURRENCIES if decimals(name) != USUAL_DECIMALS)
    names = ", ".join(f"'{name}'" for name in odd)
    units = ", ".join(str(10 ** decimals(name)) for name in odd)
    return f"SELECT toString(transform(${{currency:singlequote}}, [{names}], [{units}], {10**USUAL_DECIMALS}))"


def _many(name: str, label: str, description: str) -> QueryVariable:
    return (
        _asked(name, label, read(f"variables/{name}"))
        .description(description)
        .multi(True)
        .include_all(True)
        .sort(VariableSort.ALPHABETICAL_ASC)
        .current(VariableOption(selected=True, text=["All"], value=[ALL]))
        .refresh(VariableRefresh.ON_DASHBOARD_LOAD)
    )


def _asked(name: str, label: str, sql: str) -> QueryVariable:
    query: dict[str, object] = {"refId": name, "queryType": "sql", "rawSql": sql}
    return QueryVariable(name).label(label).datasource(CLICKHOUSE).query(query)
