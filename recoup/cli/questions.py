"""Options that say which rows to take and what to ask about them, for the commands that learn."""

from datetime import datetime
from typing import Any

import click

from models.propensity.examples import Moment, Target


class TargetType(click.ParamType):
    """`paid_by_due` or `paid_within:DAYS`."""

    name = "paid_by_due|paid_within:DAYS"

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        """As it is typed."""
        return self.name

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Target:
        from recoup.training.question import target_of

        try:
            return value if isinstance(value, Target) else target_of(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


class MomentType(click.ParamType):
    """`issue`, `overdue` or `every:7d`."""

    name = "issue|overdue|every:7d"

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        """As it is typed."""
        return self.name

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Moment:
        from recoup.training.question import moment_of

        try:
            return value if isinstance(value, Moment) else moment_of(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


class Since(click.ParamType):
    """A date, as the instant at which it begins in UTC."""

    name = "DATE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        from models.calendar import DAY, day_number

        if isinstance(value, int):
            return value
        try:
            return day_number(datetime.strptime(value, "%Y-%m-%d").date()) * DAY  # noqa: DTZ007 - a day is asked for
        except ValueError:
            self.fail(f"{value!r} is not a date such as 2026-01-31.", param, ctx)
