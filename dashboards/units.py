"""The units that panels use, by Grafana's own names."""

from typing import Final

MONEY: Final = "short"
"""Of the dashboard's currency, whose name stands in the panel's title: Grafana has no units that follow a variable."""
COUNT: Final = "short"
WHOLE: Final = "locale"
"""Every digit, with thousands apart; in tables."""
SHARE: Final = "percentunit"
"""0..1, shown as per cent."""
RATIO: Final = "none"
SECONDS: Final = "s"
MILLISECONDS: Final = "ms"
DAYS: Final = "d"
BYTES: Final = "bytes"
PER_SECOND: Final = "cps"
CORES: Final = "none"
TEXT: Final = "string"
