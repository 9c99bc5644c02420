"""Every notebook runs on a demo's data and answers its question; what it computes by hand is what the library computes."""

import re

import pytest

from connectors.clickhouse.client import connect
from connectors.clickhouse.statements import Name
from recoup.settings import Settings
from tests.notebook_run import answer_of, run

AS_THE_LIBRARY = """
from models.evaluation.estimators import snips
from models.evaluation.log import Log, steps_of
from models.evaluation.weights import weights_of

log = Log(
    account=decisions["account"].to_numpy(), episode=decisions["episode"].to_numpy(),
    action=np.zeros(len(decisions), dtype=np.int64), logged=decisions[["probability"]].to_numpy(),
    reward=decisions["reward"].to_numpy(), x=np.zeros((len(decisions), 1)),
)
of = steps_of(log)
for policy in ("today", "no_calls"):
    expected = snips(log, of, weights_of(log, decisions[[policy]].to_numpy(), of)).value
    assert expected > 0
    assert abs(estimate[policy] - expected) < 1e-9 * expected, (policy, estimate[policy], expected)
"""
"""Behind notebook 4: its estimates against those of models.evaluation."""

AS_THE_COMMAND = """
from recoup.forecasting import cash_backtest

judged = cash_backtest(w.client, TENANT, CURRENCY)
assert abs(errors.loc["all", "forecast"] - judged.forecast.all_weeks) < 1e-4
assert abs(errors.loc["all", "mean of 4 weeks"] - judged.mean.all_weeks) < 1e-4
assert abs(held - judged.coverage) < 1e-9
"""
"""Behind notebook 5: its errors against those that `recoup forecast --backtest` tells."""


@pytest.fixture(scope="module")
def refreshed(demo_home: Settings) -> Settings:
    """The demo, with the views that are made anew only now and then as new as its rows."""
    client = connect(demo_home.clickhouse)
    database = demo_home.clickhouse.database
    try:
        views = client.query(
            "SELECT view FROM system.view_refreshes WHERE database = {database:String}", {"database": database}
        ).result_rows
        assert views
        for (view,) in views:
            client.command(f"SYSTEM REFRESH VIEW {Name(database)}.{Name(view)}")
            client.command(f"SYSTEM WAIT VIEW {Name(database)}.{Name(view)}")
    finally:
        client.close()
    return demo_home


@pytest.mark.parametrize("name", ["1", "2", "3"])
def test_it_runs_on_the_demo_and_answers(refreshed: Settings, name: str) -> None:
    said = answer_of(run(name, refreshed.home))
    assert len(re.findall(r"\d", said)) > 5
    assert not re.search(r"\b(nan|inf|None)\b", said)


def test_policies_are_compared_as_the_library_compares_them(refreshed: Settings) -> None:
    said = answer_of(run("4", refreshed.home, AS_THE_LIBRARY))
    assert "95 % confidence" in said


def test_cash_is_foreseen_as_the_command_foresees_it(refreshed: Settings) -> None:
    said = answer_of(run("5", refreshed.home, AS_THE_COMMAND))
    assert "in eight of ten cases" in said


def test_without_the_real_ledger_its_notebook_says_so(refreshed: Settings) -> None:
    assert "has not been replayed" in answer_of(run("6", refreshed.home))
