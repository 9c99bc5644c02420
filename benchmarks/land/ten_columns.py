"""The land worker with ten columns a row: type, tenant, account and time, and the six that every row has from Kafka.

Everything else is the real worker: contract checked, fenced, one part a block. The columns left out keep their default.
"""

from connectors.clickhouse import tables

NAMES = ("type", "tenant_id", "account_id", "occurred_at")


def narrow() -> None:
    """Let every table take these columns alone from the contents of its messages."""
    tables.ENVELOPE = tuple(column for column in tables.ENVELOPE if column.name in NAMES)
    tables.PAYLOADS = dict.fromkeys(tables.PAYLOADS, ())


if __name__ == "__main__":
    narrow()
    from recoup.settings import Settings
    from recoup.worker import run
    from streams.land import agent

    run(agent.build, job="land", slot=0, web_port=0, log_level="warning", settings=Settings())
