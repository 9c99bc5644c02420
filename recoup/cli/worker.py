"""`recoup worker`: one worker process of one job."""

import click

JOBS = ("decide", "land", "dispatch")


@click.command()
@click.argument("job", type=click.Choice(JOBS))
@click.option(
    "--slot", default=0, show_default=True, type=click.IntRange(0, 999), help="Which of the job's workers this is."
)
@click.option(
    "--web-port", default=0, type=click.IntRange(0, 65535), help="Port of /ready and /metrics; 0 = any free one."
)
@click.option(
    "--log-level", default="info", show_default=True, type=click.Choice(["debug", "info", "warning", "error"])
)
def worker(job: str, slot: int, web_port: int, log_level: str) -> None:
    """Run one worker until it is stopped.

    Start as many as you like, each with a slot of its own: partitions move to a new worker without loss or double work.
    A worker that cannot go on exits with a code other than 0; start it again and it goes on where it was.

    \b
    Example:  recoup worker decide --slot 1
    """
    import importlib

    from recoup.settings import Settings
    from recoup.worker import run

    agent = importlib.import_module(f"streams.{job}.agent")
    run(agent.build, job=job, slot=slot, web_port=web_port, log_level=log_level, settings=Settings())
