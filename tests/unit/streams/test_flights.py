"""What a rebalance and a stop wait for."""

import asyncio
from typing import Any

import pytest

from streams.flights import Flights
from streams.lease import Lease, Part, Poll


class Arrived:
    """A message of which only its time stamp matters."""

    def __init__(self, at: int) -> None:
        self.at = at

    def timestamp(self) -> tuple[int, int]:
        return 1, self.at


def part(*arrived: int, held: bool = True) -> Part:
    lease = Lease(unit=0, group=None, positions={}, held=held)
    messages: list[Any] = [Arrived(at) for at in arrived]
    return Part(lease=lease, start={}, end={}, messages=messages)


def poll(*parts: Part) -> Poll:
    return Poll(parts=list(parts) or [part()])


@pytest.fixture
def failures() -> list[BaseException]:
    return []


@pytest.fixture
def flights(failures: list[BaseException]) -> Flights:
    return Flights(failures.append)


async def test_a_poll_that_waits_holds_up_a_stop_but_no_rebalance(flights: Flights):
    flights.expect(poll())
    assert (flights.drained.is_set(), flights.settled.is_set(), flights.outstanding) == (False, True, 1)


async def test_a_poll_at_work_holds_up_both(flights: Flights):
    flights.expect(one := poll())
    async with flights.begin(one):
        assert (flights.drained.is_set(), flights.settled.is_set()) == (False, False)
        assert flights.longest() > 0.0
    assert (flights.drained.is_set(), flights.settled.is_set(), flights.outstanding) == (True, True, 0)


async def test_parts_of_a_lost_lease_are_left_out(flights: Flights):
    kept, lost = part(), part(held=False)
    flights.expect(both := poll(kept, lost))
    async with flights.begin(both) as flight:
        assert flight.parts == [kept]


async def test_what_is_left_to_do_holds_up_both_until_it_is_done(flights: Flights, failures: list[BaseException]):
    rest: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    flights.expect(one := poll())
    async with flights.begin(one) as flight:
        flight.ends_with(rest)
    assert (flights.drained.is_set(), flights.settled.is_set()) == (False, False)
    rest.set_result(None)
    await asyncio.wait_for(flights.drained.wait(), 5)
    assert flights.settled.is_set()
    assert not failures


async def test_a_rebalance_waits_for_every_flight(flights: Flights):
    first: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    second: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    for rest in (first, second):
        flights.expect(one := poll())
        async with flights.begin(one) as flight:
            flight.ends_with(rest)
    for rest, all_ended in ((second, False), (first, True)):
        rest.set_result(None)
        await asyncio.sleep(0)
        assert (flights.settled.is_set(), flights.drained.is_set()) == (all_ended, all_ended)


async def test_a_failure_of_what_is_left_is_told_though_nothing_follows(
    flights: Flights, failures: list[BaseException]
):
    rest: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    flights.expect(one := poll())
    async with flights.begin(one) as flight:
        flight.ends_with(rest)
    fault = RuntimeError("Redis is away")
    rest.set_exception(fault)
    await asyncio.wait_for(flights.drained.wait(), 5)
    assert failures == [fault]


async def test_a_flight_that_fails_has_ended(flights: Flights):
    flights.expect(one := poll())
    with pytest.raises(RuntimeError):
        async with flights.begin(one):
            raise RuntimeError
    assert (flights.drained.is_set(), flights.settled.is_set(), flights.longest()) == (True, True, 0.0)


async def test_the_oldest_message_is_told_until_its_poll_has_ended(flights: Flights):
    flights.expect(first := poll(part(3_000, 9_000), part(2_000)))
    flights.expect(poll(part(5_000)))
    flights.expect(poll())  # a turn of what is due, without a message
    assert flights.oldest == 2_000
    async with flights.begin(first):
        assert flights.oldest == 2_000
    assert flights.oldest == 5_000
