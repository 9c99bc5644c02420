"""Every metric of the stream jobs, declared once; read at `/metrics` of each worker."""

from prometheus_client import Counter, Gauge, Histogram

from streams.histogram import BlockHistogram

# From 1 ms to about 60 s in steps of 20 %: fine enough to read a p99 off the buckets.
LATENCY_SECONDS = [round(0.001 * 1.2**step, 6) for step in range(61)]

EVENT_TO_DECISION = Histogram(
    "recoup_event_to_decision_seconds",
    "From an event's time stamp in Kafka to its published decision.",
    buckets=LATENCY_SECONDS,
)
EVENT_TO_ROW = BlockHistogram(
    "recoup_event_to_row_seconds",
    "From a message's time stamp in Kafka to its visible row.",
    "topic",
    LATENCY_SECONDS,
)
BATCH_SECONDS = Histogram("recoup_batch_seconds", "One batch, by step.", ["job", "step"], buckets=LATENCY_SECONDS)
EVENTS = Counter("recoup_events_total", "Events by what became of them.", ["job", "outcome"])
REFUSED = Counter("recoup_events_refused_total", "Events sent to a dead-letter topic.", ["topic", "reason"])
SCORED = Counter("recoup_accounts_scored_total", "Accounts scored.")
MODELS_REFUSED = Counter("recoup_models_refused_total", "Releases that the worker did not take.", ["reason"])
POLICIES_REFUSED = Counter("recoup_policies_refused_total", "Releases of policies that were not taken.", ["reason"])
CALLBACKS = Counter("recoup_callbacks_total", "What providers told, by what became of it.", ["provider", "outcome"])
TEMPLATES_REFUSED = Counter("recoup_templates_refused_total", "Templates that the worker could not use.")
DECISIONS = Counter("recoup_decisions_total", "Decisions by action.", ["action"])
CONTACTS_ALLOWED = Counter("recoup_contacts_allowed_total", "Contacts that the rules allowed and the policy chose.")
BALANCE_MISMATCHES = Counter(
    "recoup_balance_mismatches_total", "Balances asserted by the billing system that differ from ours."
)
CONTACTS_DENIED = Counter("recoup_contacts_denied_total", "Contacts that a rule denied.", ["rule"])
SENDS = Counter("recoup_sends_total", "Contacts handed to a provider, by its answer.", ["provider", "answer"])
SEND_SECONDS = Histogram(
    "recoup_send_seconds",
    "From handing a contact to its provider to the answer.",
    ["provider"],
    buckets=LATENCY_SECONDS,
)
ENDINGS = Counter("recoup_contact_endings_total", "Contact requests by how they ended and why.", ["status", "reason"])
PARKED = Counter("recoup_contacts_parked_total", "Contact requests put off, by reason.", ["reason"])
BREAKER_OPEN = Gauge("recoup_provider_breaker_open", "1 while a provider is not asked because it fails.", ["provider"])
ROWS = Counter("recoup_rows_landed_total", "Rows made visible in ClickHouse.", ["topic"])
ROWS_REFUSED = Counter(
    "recoup_rows_refused_total", "Rows without values: their message breaks the contract.", ["topic"]
)
BLOCKS = Counter("recoup_blocks_landed_total", "Blocks inserted; each is one part.", ["topic"])
ROWS_WAITING = Gauge("recoup_rows_waiting", "Messages that were read and have not landed yet.")
ROWS_LOST = Counter("recoup_rows_lost_total", "Offsets that retention removed before they were landed.", ["topic"])
PARTITIONS = Gauge("recoup_partitions_held", "Partitions that this worker holds.", ["job"])
LAG_SECONDS = Gauge(
    "recoup_lag_seconds",
    "Since when, in seconds, the oldest message that the worker has read waits to be dealt with; 0 = none waits.",
    ["job"],
)
LAST_PROGRESS = Gauge(
    "recoup_last_progress_timestamp_seconds", "When a batch last ended, by the worker's clock.", ["job"]
)
