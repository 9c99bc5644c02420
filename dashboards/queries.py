"""The queries of panels: SQL from `sql/`, for the ClickHouse datasource, and PromQL."""

from pathlib import Path
from typing import Any, Final, Literal

from grafana_foundation_sdk.builders import prometheus
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models.dashboard import DataSourceRef

SQL: Final = Path(__file__).parent / "sql"
PLUGIN: Final = "grafana-clickhouse-datasource"
PLUGIN_VERSION: Final = "4.20.0"

CLICKHOUSE: Final = DataSourceRef(type_val=PLUGIN, uid="recoup-clickhouse")
PROMETHEUS: Final = DataSourceRef(type_val="prometheus", uid="recoup-prometheus")

Format = Literal["series", "table"]
FORMATS: Final[dict[Format, int]] = {"series": 0, "table": 1}
"""As the plugin numbers them; of `series`, columns of text become the labels of the columns of numbers."""


class ClickHouseQuery(Dataquery):
    """One query of the ClickHouse datasource, as its editor for SQL stores it."""

    def __init__(self, sql: str, shape: Format, ref_id: str) -> None:
        self.sql = sql
        self.shape = shape
        self.ref_id = ref_id

    def to_json(self) -> dict[str, object]:
        return {
            "datasource": CLICKHOUSE,
            "editorType": "sql",
            "format": FORMATS[self.shape],
            "pluginVersion": PLUGIN_VERSION,
            "queryType": "timeseries" if self.shape == "series" else "table",
            "rawSql": self.sql,
            "refId": self.ref_id,
        }


class Sql(Builder[Dataquery]):
    """The query in `sql/NAME.sql`."""

    def __init__(self, name: str, shape: Format = "series", ref_id: str = "A") -> None:
        self.query = ClickHouseQuery(read(name), shape, ref_id)

    def build(self) -> Dataquery:
        return self.query


def read(name: str) -> str:
    """The SQL of `sql/NAME.sql`, as it is."""
    return (SQL / f"{name}.sql").read_text(encoding="utf-8").strip()


def promql(expression: str, legend: str = "", ref_id: str = "A") -> Any:
    """A query of Prometheus over the dashboard's time; `legend` may hold `{{label}}`."""
    query = prometheus.Dataquery().expr(expression).ref_id(ref_id).range().datasource(PROMETHEUS)
    return query.legend_format(legend) if legend else query
