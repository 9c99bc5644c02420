"""`recoup contacts`: stop contacts and let them go again, see what waits, and look into those in doubt."""

from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from connectors.redis.pauses import Stop

CHANNELS = ("email", "sms", "call", "voicemail", "letter")
TENANT = click.option("--tenant", help="Only of this tenant; without it of every one.")
CHANNEL = click.option("--channel", type=click.Choice(CHANNELS), help="Only on this channel; without it on all.")
REASON = click.option("--reason", default="", help="Why, for the audit log. Nothing personal.")
JSON = click.option("--json", "as_json", is_flag=True, help="One JSON object.")


@click.group()
def contacts() -> None:
    """Stop contacts and let them go, see what waits, and look into those in doubt.

    A stop is in force in every worker with the next contact, needs no broker and outlasts restarts. What is stopped
    waits, and fails as `expired` when its time runs out.
    """


@contacts.command()
@TENANT
@CHANNEL
@REASON
@JSON
def pause(tenant: str | None, channel: str | None, reason: str, as_json: bool) -> None:
    """Stop contacts at once.

    \b
    Example:  recoup contacts pause --tenant acme --channel sms --reason "wrong amounts"
    """
    _press(tenant, channel, reason, resume=False, as_json=as_json)


@contacts.command()
@TENANT
@CHANNEL
@REASON
@JSON
def resume(tenant: str | None, channel: str | None, reason: str, as_json: bool) -> None:
    """Take away exactly the stop that was pressed with the same options. Exit code 3: there was none.

    \b
    Example:  recoup contacts resume --tenant acme --channel sms
    """
    _press(tenant, channel, reason, resume=True, as_json=as_json)


@contacts.command()
@JSON
def status(as_json: bool) -> None:
    """Show what is stopped, what waits and why, and who pressed the button last.

    \b
    Example:  recoup contacts status
    """
    import msgspec

    from recoup.addresses import require
    from recoup.contacts.stopping import status as ask
    from recoup.settings import Settings

    settings = Settings()
    require(settings, "redis")
    found = ask(settings)
    if as_json:
        click.echo(msgspec.json.encode(found).decode())
        return
    if not found.stopped:
        click.echo("Nothing is stopped.")
    for stop in found.stopped:
        click.echo(f"stopped  {_said(stop)}")
    waiting = ", ".join(f"{count} {reason}" for reason, count in found.waiting.items())
    click.echo(f"waiting  {waiting or 'nothing'}")
    click.echo(f"unknown  {found.unknown}" + ("; `recoup contacts unknown` lists them" if found.unknown else ""))
    for stop in found.history:
        click.echo(f"{'resume' if stop.resumed else 'pause ':6}   {_said(stop)}")


@contacts.command()
@JSON
def unknown(as_json: bool) -> None:
    """List the contacts of which nobody knows whether they left.

    The provider broke off or did not answer, and knows no key to be asked again by. They count as sent.

    \b
    Example:  recoup contacts unknown
    """
    import msgspec

    from models.calendar import utc
    from recoup.addresses import require
    from recoup.contacts.doubts import unknown as ask
    from recoup.settings import Settings

    settings = Settings()
    require(settings, "redis")
    found = ask(settings)
    if as_json:
        click.echo(msgspec.json.encode(found).decode())
        return
    if not found:
        click.echo("No contact is in doubt.")
    for doubt in found:
        click.echo(
            f"{doubt.contact_id}  {utc(doubt.at):%Y-%m-%d %H:%M:%S} UTC  {doubt.tenant_id} {doubt.account_id}"
            f"  {doubt.channel} by {doubt.provider or 'nobody known'}: {doubt.code}"
        )


@contacts.command()
@click.argument("contact_id")
@click.option("--found", required=True, type=click.Choice(["sent", "not-sent"]), help="What a person has found out.")
def resolve(contact_id: str, found: Any) -> None:
    """Take a contact off the list of those in doubt, and record what you have found out.

    \b
    Example:  recoup contacts resolve 0f3a...:contact --found sent
    """
    from recoup.addresses import require
    from recoup.contacts.doubts import resolve as settle
    from recoup.settings import Settings

    settings = Settings()
    require(settings, "redis")
    recorded = settle(settings, contact_id, found)
    click.echo(f"{contact_id}: found {found}" + ("" if recorded else WAITS))


@contacts.command()
@click.option("--yes", is_flag=True, help="Do not ask before what Redis holds is replaced.")
@JSON
def recover(yes: bool, as_json: bool) -> None:
    """Make dispatch's ledger again from the topics, when a worker says that Redis and Kafka do not belong together.

    What was taken and has no outcome may have been sent, and ends as unknown. No dispatch worker may run meanwhile.

    \b
    Example:  recoup contacts recover
    """
    import asyncio

    import msgspec

    from recoup.addresses import require
    from recoup.contacts.recovery import recover as mend
    from recoup.settings import Settings

    settings = Settings()
    require(settings, "kafka", "redis")
    if not yes:
        click.confirm("Replace dispatch's ledger in Redis by what the topics say?", abort=True)
    report = asyncio.run(mend(settings, lambda text: click.echo(text, err=True)))
    if as_json:
        click.echo(msgspec.json.encode(report).decode())


WAITS = "; Kafka is away, so the record of it waits in Redis for the next one"


def _press(tenant: str | None, channel: str | None, reason: str, *, resume: bool, as_json: bool) -> None:
    import sys

    import msgspec

    from recoup.addresses import require
    from recoup.contacts.stopping import press, record_press, stranger
    from recoup.settings import Settings

    settings = Settings()
    require(settings, "redis")
    pressed = press(settings, tenant_id=tenant, channel=channel, reason=reason, resume=resume)
    if as_json:
        click.echo(msgspec.json.encode(pressed).decode())
    elif pressed.changed:
        click.echo(f"{'resumed' if resume else 'stopped'}  {_said(pressed.stop)}")
    else:
        click.echo(f"{'was not stopped' if resume else 'was stopped before'}  {_said(pressed.stop)}")
    if not resume and (warning := stranger(settings, pressed.stop)) is not None:
        click.echo(warning, err=True)
    if not record_press(settings, pressed):
        click.echo(f"In force{WAITS}.", err=True)
    if resume and not pressed.changed:
        sys.exit(3)


def _said(stop: "Stop") -> str:
    from models.calendar import utc

    tenant = "every tenant" if stop.tenant_id == "*" else stop.tenant_id
    channel = "every channel" if stop.channel == "*" else stop.channel
    why = f': "{stop.reason}"' if stop.reason else ""
    return f"{tenant}, {channel}  {utc(stop.at):%Y-%m-%d %H:%M:%S} UTC by {stop.by}{why}"
