"""What the real core sends in the simulated world, judged by an independent reading of the rules: all packs, all regions."""

import pytest

from recoup.simulator.comparison.policies import decides, policy_named
from recoup.simulator.world.log import Kept
from recoup.simulator.world.population import Population
from recoup.simulator.world.run import World
from tests.world_judge import denials, forbidden


def run(policy: str, seed: int, customers: int, days: int, every: int = 1) -> tuple[Population, Kept]:
    population = Population(seed, customers)
    log = Kept(customers, every=every)
    World(population).run(decides(policy_named(policy), population.tenants), days, log=log)
    return population, log


@pytest.mark.parametrize("policy", ["schedule", "nba", "random"])
def test_nothing_is_sent_that_the_oracle_forbids_and_nothing_denied_that_it_allows(policy):
    population, log = run(policy, 105, 300, 30)
    assert sum(len(account.contacts) for account in log.accounts) > 300
    assert list(forbidden(population, log.accounts)) == []
    asked = list(denials(population, log.accounts))
    assert len({rule for _, _, law, _ in asked for rule in law}) > 10
    assert [its for its in asked if its[2] != its[3]] == []


def test_the_oracle_sees_what_is_forbidden():
    population, log = run("schedule", 106, 60, 20)
    account = next(account for account in log.accounts if account.contacts)
    at, contact, heard = account.contacts[0]
    account.contacts += [(at - 12 * 3_600_000, contact, heard)]
    assert list(forbidden(population, log.accounts))


@pytest.mark.slow
@pytest.mark.timeout(3_600)
@pytest.mark.parametrize("policy", ["schedule", "nba"])
def test_ninety_days_of_twenty_thousand_accounts_stand_before_the_oracle(policy):
    population, log = run(policy, 107, 20_000, 90, every=25)
    assert sum(len(account.contacts) for account in log.accounts) > 40_000
    assert list(forbidden(population, log.accounts)) == []
    asked = list(denials(population, log.accounts))
    assert len({rule for _, _, law, _ in asked for rule in law}) > 15
    assert [its for its in asked if its[2] != its[3]] == []
