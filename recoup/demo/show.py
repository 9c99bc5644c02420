"""Starts everything, lets a simulated portfolio live for a while, drains it, and adds up what became of every message."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from models.clock import WallClock
from recoup.console import start_beside
from recoup.demo.books import Books, counted_by_then
from recoup.demo.figures import Figures
from recoup.demo.pace import Pace
from recoup.demo.past.looks import look_back
from recoup.demo.past.make import NO_PAST, Asked, Past, make_past
from recoup.demo.strategies import release_strategies, trial
from recoup.demo.view import Quantiles, View
from recoup.demo.watch import Watch
from recoup.settings import Settings
from recoup.simulator.feed import Feed, Tally
from recoup.simulator.stack import businesses_of
from recoup.simulator.stream import Simulation
from recoup.stack.kept import stop_kept_workers
from recoup.stack.provision import provision
from recoup.stack.stack import Stack
from recoup.stack.workers import Workers
from schemas.errors import BadInput, NotReady
from schemas.registry import SOURCE_TOPICS

LOOK_SECONDS = 1.0
DRAIN_SECONDS = 120.0
"""Past this what is still missing counts as lost; draining takes a few seconds."""

RAMP_SECONDS = 4.0
"""Caches, connections and transactions of a stack that has just started are cold for about two seconds."""
QUIET_SECONDS = 15.0
"""Past this dispatch is stopped, whatever it has still to send."""

DECIDE, LAND, DISPATCH = "decide", "land", "dispatch"

Say = Callable[[str], None]
Show = Callable[[View], None]


class Plan(msgspec.Struct, frozen=True):
    """What the demo is asked for."""

    home: Path
    seconds: float = 60.0
    accounts: int = 5_000
    rate: float = 2_000.0
    workers: int = 1
    """Decide workers."""
    seed: int = 1
    past_days: int = 150
    """Made before anything streams; 0 = none."""
    past_accounts: int = 1_200


class Result(msgspec.Struct):
    """What came of it."""

    books: Books
    tally: Tally
    figures: Figures
    first_decision_seconds: float | None
    past: Past
    unsent: int
    """Contact requests that were made after dispatch had stopped."""
    example: tuple[str, str] | None
    """Tenant and account of somebody who was contacted."""


class Demo:
    """One run. `stop` ends the stream early; what was sent is still followed to its end."""

    def __init__(self, plan: Plan, say: Say, show: Show) -> None:
        self.plan = plan
        self.say: Say = lambda what: say(f"{time.monotonic() - self.began:5.1f} s  {what}")
        self.show = show
        self.jobs = ((LAND, 0), (DISPATCH, 0), *((DECIDE, slot) for slot in range(plan.workers)))
        self.began = self.streaming = time.monotonic()
        self.view = View(seconds=plan.seconds, workers=plan.workers + 2)
        self.stack = Stack(plan.home)
        if self.stack.external:
            raise BadInput(
                "The demo fills and empties a stack of its own, and the settings name servers elsewhere"
                f" ({', '.join(sorted(self.stack.external))}). Run it without RECOUP_KAFKA__BOOTSTRAP_SERVERS,"
                " RECOUP_REDIS__URL and RECOUP_CLICKHOUSE__URL."
            )
        self.stopped = threading.Event()
        self.first_decision: float | None = None
        self.console = ""
        """Where the live page is; empty = nowhere."""
        self.past = NO_PAST
        self._feed: Feed | None = None
        self.pace = Pace()

    def stop(self) -> None:
        """End the stream soon; from any thread or signal handler."""
        self.stopped.set()
        if self._feed is not None:
            self._feed.stop()

    def run(self, *, keep: bool) -> Result:
        """All of it; leaves nothing running unless `keep` says that the servers shall.

        Raises:
            NotReady: something did not start, or died.
        """
        self.stack.down(wipe=True)
        share_models(self.plan.home)
        finished = False
        try:
            settings = self._start()
            with Workers(self.plan.home, lambda worker, what: self.say(f"{worker} {what}")) as workers:
                result = self._work(settings, workers, keep=keep)
            finished = True
            return result
        finally:
            if not (keep and finished):
                stop_kept_workers(self.plan.home)
                self.stack.down()

    def _start(self) -> Settings:
        self.stack.up(lambda part, what: self.say(f"{part} {what}"))
        settings = Settings(home=self.plan.home)
        self._go_on()
        provision(settings, self.say)
        release_strategies(settings, self.say, trial(WallClock().now()))
        self._go_on()
        return settings

    def _go_on(self) -> None:
        if self.stopped.is_set():
            raise NotReady("The demo was stopped before anything streamed; nothing is left running.")

    def _work(self, settings: Settings, workers: Workers, *, keep: bool) -> Result:
        watch = Watch(settings)
        try:
            self._begin(settings, watch, workers)
            if keep:
                self.console = start_beside(settings)
                self.say(f"the console shows all of it live: {self.console}")
            tally = self._stream(settings, watch, workers)
            self._drain(watch, workers, tally)
            return self._add_up(watch, workers, tally)
        finally:
            watch.close()

    def _begin(self, settings: Settings, watch: Watch, workers: Workers) -> None:
        """Make the past, which lands while it is made, and start the workers that go on from it."""
        land, *others = self.jobs
        workers.start(*land)
        self.past = make_past(
            settings,
            Asked(self.plan.past_days, self.plan.past_accounts, self.plan.seed, WallClock().now()),
            say=self.say,
            go_on=self._go_on,
        )
        for job, slot in others:
            workers.start(job, slot)
        if self.past.days:
            self._let_it_land(watch)
            watch.work_out()
            drifted = look_back(settings, self.past)
            self.say(f"the past has landed; looks at the models, month by month, told of {drifted} drifts")
        workers.wait_ready()
        self.say("all workers ready")
        self._go_on()
        watch.leave_out_landed()

    def _let_it_land(self, watch: Watch) -> None:
        deadline = time.monotonic() + DRAIN_SECONDS
        while not watch.has_landed(self.past.messages):
            self._go_on()
            if time.monotonic() > deadline:
                raise NotReady("The demo's past has not landed; `recoup logs worker-land-0` says why.")
            time.sleep(LOOK_SECONDS / 2)

    # -- the stream -----------------------------------------------------------------------------------------------------

    def _stream(self, settings: Settings, watch: Watch, workers: Workers) -> Tally:
        clock = WallClock()
        simulation = Simulation(self.plan.seed, self.plan.accounts, businesses_of(settings), start=clock.now())
        self._feed = feed = Feed(
            settings.kafka, simulation, rate=self.plan.rate, ramp_seconds=RAMP_SECONDS, clock=clock
        )
        if self.stopped.is_set():
            feed.stop()
        failures: list[BaseException] = []

        def run() -> None:
            try:
                feed.run(seconds=self.plan.seconds)
            except BaseException as error:  # noqa: BLE001 - raised by the thread that waits
                failures.append(error)

        self.view.phase = "streaming"
        thread = threading.Thread(target=run, name="simulator")
        self.streaming = time.monotonic()
        thread.start()
        while thread.is_alive():
            thread.join(LOOK_SECONDS)
            self._look(watch, workers, feed.tally)
        if failures:
            raise failures[0]
        return feed.tally

    def _look(self, watch: Watch, workers: Workers, tally: Tally) -> None:
        """Read every figure, and show the moment."""
        for status in workers.status():
            if status.state == "failed":
                raise NotReady(f"worker {status.name} stays down; `recoup logs worker-{status.name}` says why")
        figures = watch.figures()
        view = self.view
        view.elapsed = time.monotonic() - self.streaming
        view.accounts, view.business_days = tally.accounts, tally.business_days
        view.answers = dict(tally.answers)
        view.sent = outcomes_of(figures)
        view.produced = tally.total + sum(view.sent.values())
        view.handled = sum(watch.counters().values()) - self.past.events
        view.scored = figures.total("recoup_accounts_scored_total")
        view.decisions = figures.by("recoup_decisions_total", "action")
        view.contacts_allowed = figures.total("recoup_contacts_allowed_total")
        view.denied = figures.by("recoup_contacts_denied_total", "rule")
        view.rows = figures.by("recoup_rows_landed_total", "topic")
        view.to_decision = to_decision(figures)
        view.to_row = to_row(figures)
        self.pace.look(time.monotonic(), view.produced, view.handled)
        view.per_second, view.lag_seconds = self.pace.per_second(), self.pace.lag_seconds()
        if self.first_decision is None and view.decisions:
            self.first_decision = round(time.monotonic() - self.began, 1)
        self.show(view)

    # -- the end --------------------------------------------------------------------------------------------------------

    def _drain(self, watch: Watch, workers: Workers, tally: Tally) -> None:
        """Stop the jobs one after the other, each when it has done everything that came before.

        Dispatch first, so that nobody makes events any more; then decide, so that nobody makes messages any more.
        """
        self.view.phase = "draining"
        view = self.view
        self._until(
            lambda: view.lag == 0 and sum(view.sent.values()) >= view.contacts_allowed,
            watch,
            workers,
            tally,
            QUIET_SECONDS,
        )
        workers.stop(f"{DISPATCH}-0")
        produced = sum(watch.messages(SOURCE_TOPICS).values())
        self._until(lambda: sum(watch.counters().values()) >= produced, watch, workers, tally)
        for slot in range(self.plan.workers):
            workers.stop(f"{DECIDE}-{slot}")
        messages = watch.messages(watch.topics)
        self._until(lambda: watch.has_landed(messages), watch, workers, tally)
        self.view.phase = "done"
        self._look(watch, workers, tally)

    def _until(
        self, done: Callable[[], bool], watch: Watch, workers: Workers, tally: Tally, most: float = DRAIN_SECONDS
    ) -> None:
        """Wait; what is not done at the deadline will show in the books."""
        deadline = time.monotonic() + most
        while not done() and time.monotonic() < deadline:
            self._look(watch, workers, tally)
            time.sleep(LOOK_SECONDS / 4)

    def _add_up(self, watch: Watch, workers: Workers, tally: Tally) -> Result:
        messages = watch.messages(watch.topics)
        self._until(lambda: watch.has_landed(messages), watch, workers, tally)
        counters, rows = watch.counters(), counted_by_then(messages, watch.rows())
        books = Books(
            messages=messages,
            applied=counters.get("applied", 0),
            dropped=_under(counters, "dropped:"),
            dead_lettered=_under(counters, "dead_lettered:"),
            rows={topic: count for topic, (count, _) in rows.items()},
            places={topic: places for topic, (_, places) in rows.items()},
        )
        figures = watch.figures()
        watch.work_out()
        return Result(
            books=books,
            tally=tally,
            figures=figures,
            first_decision_seconds=self.first_decision,
            past=self.past,
            unsent=messages.get("contact-requests", 0) - self.past.contacts - sum(outcomes_of(figures).values()),
            example=watch.example(),
        )


def share_models(home: Path) -> None:
    """Let the demo find the models of the installation around it, and the other way: one folder, unless there are two."""
    models = home / "models"
    if models.is_symlink() or models.exists():
        return
    home.mkdir(parents=True, exist_ok=True)
    (home.parent / "models").mkdir(exist_ok=True)
    models.symlink_to(Path("..") / "models", target_is_directory=True)


def outcomes_of(figures: Figures) -> dict[str, int]:
    """Contacts by how they ended: sent, failed, unknown."""
    return figures.by("recoup_events_total", "outcome", job=DISPATCH)


def to_decision(figures: Figures) -> Quantiles:
    """From an event's arrival in Kafka to its published decision."""
    return _quantiles(figures, "recoup_event_to_decision_seconds", None)


def to_row(figures: Figures) -> Quantiles:
    """From an event's arrival in Kafka to its visible row."""
    return _quantiles(figures, "recoup_event_to_row_seconds", SOURCE_TOPICS)


def _quantiles(figures: Figures, name: str, topics: tuple[str, ...] | None) -> Quantiles:
    """p50 and p99 of a histogram of seconds, in milliseconds."""
    half, most = figures.quantile(name, 0.5, topics), figures.quantile(name, 0.99, topics)
    return None if half is None or most is None else (round(half * 1000, 1), round(most * 1000, 1))


def _under(counters: dict[str, int], prefix: str) -> dict[str, int]:
    found = {name.removeprefix(prefix): times for name, times in counters.items() if name.startswith(prefix)}
    return dict(sorted(found.items(), key=lambda pair: (-pair[1], pair[0])))
