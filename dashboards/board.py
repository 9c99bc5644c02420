"""A dashboard out of rows of panels: ids, places, variables, and links to the others."""

from collections.abc import Sequence

import msgspec
from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import dashboard as model

TAG = "recoup"
COLUMNS = 24


class Row(msgspec.Struct, frozen=True):
    """Panels under a heading, from left to right; the first row of a dashboard has none."""

    heading: str
    panels: Sequence[Builder[model.Panel]]


class Board(msgspec.Struct, frozen=True):
    """What a dashboard is made of."""

    uid: str
    """Without `recoup-`; the name of its file as well."""
    title: str
    says: str
    """Which questions it answers, for whom."""
    since: str
    """What is shown at first, such as `now-90d`."""
    refresh: str
    variables: Sequence[builders.QueryVariable]
    rows: Sequence[Row]


def built(board: Board) -> model.Dashboard:
    """The dashboard as Grafana's model has it. Times are UTC: a tenant's calendar day stays that day."""
    made = (
        builders.Dashboard(board.title)
        .uid(f"{TAG}-{board.uid}")
        .description(board.says)
        .tags([TAG])
        .timezone("utc")
        .time(board.since, "now")
        .refresh(board.refresh)
        .readonly()
        .tooltip(model.DashboardCursorSync.CROSSHAIR)
        .link(
            builders.DashboardLink("All of Recoup")
            .type(model.DashboardLinkType.DASHBOARDS)
            .tags([TAG])
            .as_dropdown(True)
            .include_vars(True)
            .keep_time(True)
        )
        .variables(list(board.variables))
    )
    number = 0
    for row in board.rows:
        if row.heading:
            number += 1
            made.with_row(builders.Row(row.heading).id(number))
        for panel in row.panels:
            number += 1
            panel.build().id_val = number
            made.with_panel(panel)
    return made.build()
