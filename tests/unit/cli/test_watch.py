"""`recoup models watch` takes spans of time that it can look back over, and refuses others before it asks anybody."""

import pytest
from click.testing import CliRunner

from recoup.cli.main import recoup
from recoup.cli.watch import Span
from recoup.watch.outcomes import days_of


@pytest.mark.parametrize(("text", "days"), [("12h", 0.5), ("7d", 7), ("4w", 28), ("3650d", 3650)])
def test_a_span_is_read(text, days):
    assert Span().convert(text, None, None) == days * 86_400_000


@pytest.mark.parametrize("text", ["0d", "7", "7m", "-1d", "3651d", "99999w"])
@pytest.mark.parametrize("option", ["--since", "--reference"])
def test_what_is_no_span_is_refused(option, text):
    done = CliRunner().invoke(recoup, ["models", "watch", option, text])
    assert done.exit_code == 2
    assert "3,650 days at most" in " ".join(done.output.split())


@pytest.mark.parametrize(("target", "days"), [("paid_within:180", 180), ("paid_by_due", 0), ("", 0)])
def test_a_target_says_how_far_it_looks_ahead(target, days):
    assert days_of(target) == days
