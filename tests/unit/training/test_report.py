"""The report says the verdict first, shows every number beside the baseline's, and needs nothing but itself."""

import html.parser
import re

import msgspec
import numpy as np
import pytest

from models.propensity.evaluation import evaluate, evaluate_days
from models.propensity.groups import evaluate_groups
from models.propensity.importance import Importance, Importances
from models.propensity.leaks import Leak
from recoup.training.content import CandidateRow, DataSummary, ReportContent
from recoup.training.page import page as as_html
from recoup.training.report import verdict, write_report

DAY = 86_400_000
FALLS = {
    "on_time_rate": 0.141, "recent_slack": 0.038, "overdue_invoices": 0.021, "mean_days_late": 0.017, "amount": 0.009,
    "PaperlessBill": 0.006, "last_slack": 0.005, "due_month_day": 0.003, "days_since_payment": 0.002, "open_amount": 0.001,
    "account_age": 0.0006, "slack_trend": 0.0002, "due_weekday": 0.0, "credit": 0.0, "hardship": 0.0, "reached": -0.0004,
}  # fmt: skip


def content(n=740, **changes):
    """Figures as a ledger of a few thousand invoices gives them."""
    rng = np.random.default_rng(7)
    p = rng.beta(2.2, 1.2, n)
    y = (rng.random(n) < p).astype(np.int64)
    days = np.clip(60 - 45 * p + rng.normal(0, 5, n), 0, None)
    groups = {
        "tenant": np.full(n, "acme"),
        "segment": rng.choice(["retail", "wholesale", "public bodies"], n, p=[0.6, 0.35, 0.05]),
        "days past due": np.full(n, "not due"),
        "history": np.where(rng.random(n) < 0.05, "no history", "some history"),
    }
    items = [Importance(name, fall, abs(fall) / 12) for name, fall in FALLS.items()]
    fields = {
        "target": "paid_by_due",
        "moment": "issue",
        "candidate": "logistic l1 C=0.1",
        "model": evaluate(y, p, base_rate=0.64),
        "baseline": evaluate(y, np.clip(p * 0.8 + rng.normal(0.1, 0.12, n), 0, 1), base_rate=0.64),
        "days": evaluate_days(
            days + rng.normal(0, 4, n), np.column_stack([60 - 45 * p - 9, 60 - 45 * p, 60 - 45 * p + 9])
        ),
        "importance": Importances(n, sampled=False, auc=0.84, items=items),
        "groups": evaluate_groups(y, p, groups, base_rate=0.64),
        "candidates": [
            CandidateRow("logistic on on_time_rate", 0.4312, 0.866),
            CandidateRow("logistic l2 C=1", 0.3921, 0.884),
            CandidateRow("logistic l1 C=0.1", 0.3874, 0.888, chosen=True),
            CandidateRow("boosting 200x2, no interactions", 0.3902, 0.885),
            CandidateRow("boosting 200x8, with interactions", 0.3869, 0.889, yardstick=True),
        ],
        "warnings": ["12 rows had a due date before their issue; they were taken as due at issue."],
        "data": DataSummary(
            source="receivables.csv", rows=2466, train=1711, test=n, accounts=100, currencies=("USD",),
            left_out={"its horizon had not passed by the end of the data": 41, "voided": 7},
            first_at=15_342 * DAY, last_at=16_041 * DAY, train_until=15_827 * DAY, test_from=15_828 * DAY,
            notes=("PaperlessBill: taken as yes or no.",),
        ),
    }  # fmt: skip
    return ReportContent(**{**fields, **changes})


class Page(html.parser.HTMLParser):
    """Text in its order, and every address that a browser would load."""

    def __init__(self, source):
        super().__init__()
        self.text, self.loaded, self.tags, self.open = [], [], [], []
        self.feed(source)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.loaded += [value for name, value in attrs if name in {"src", "srcset", "href", "data", "action"}]
        if tag not in {"meta", "img", "source", "br"}:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] not in {"style", "title"} and data.strip():
            self.text.append(data.strip())


def written(folder, shown):
    write_report(folder, shown)
    return Page((folder / "report.html").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    return folder, write_report(folder, content()), Page((folder / "report.html").read_text(encoding="utf-8"))


def test_the_page_goes_from_the_verdict_to_the_data(plain):
    page = plain[2]
    said = verdict(content())
    assert said.startswith("Better than the baseline: AUC 0.")
    assert "calibrated within noise" in said
    wanted = [
        said,
        "One warning",
        "Key figures",
        "AUC",
        "Plots",
        "By group",
        "Candidates, on validation rows",
        "Features",
    ]
    places = [page.text.index(text) for text in [*wanted, "Data"]]
    assert places == sorted(places)
    assert page.open == []


def test_the_page_loads_nothing_and_runs_nothing(plain):
    page = plain[2]
    assert page.loaded
    assert all(address.startswith("data:image/png;base64,") for address in page.loaded)
    assert "script" not in page.tags
    assert "url(" not in (plain[0] / "report.html").read_text(encoding="utf-8")


def test_every_plot_is_a_file_for_light_and_dark_screens(plain):
    folder, files, _ = plain
    names = {
        f"{name}{kind}.png"
        for name in ("reliability", "gain", "importance", "scores", "days")
        for kind in ("", "-dark")
    }
    assert {path.name for path in (folder / "plots").iterdir()} == names
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in (folder / "plots").iterdir())
    assert set(files) == {path for path in folder.rglob("*") if path.is_file()}


def test_a_program_reads_the_same_numbers(plain):
    fields = msgspec.json.decode((plain[0] / "report.json").read_bytes())
    shown = content()
    assert fields.pop("verdict") == verdict(shown)
    assert msgspec.convert(fields, ReportContent) == shown


def test_the_same_content_gives_the_same_bytes(plain, tmp_path):
    for path in write_report(tmp_path, content()):
        assert path.read_bytes() == (plain[0] / path.relative_to(tmp_path)).read_bytes(), path.name


def test_the_chosen_candidate_small_groups_and_what_was_left_out_are_marked(plain):
    text = plain[2].text
    assert text[text.index("chosen") - 1] == "logistic l1 C=0.1"
    assert text[text.index("yardstick, never served") - 1].endswith("with interactions")
    assert text[text.index("few rows") - 1] == "public bodies"
    assert text[text.index("its horizon had not passed by the end of the data") + 1] == "41"
    assert "1,711 until 2013-05-02" in text
    assert any("Who has begun to pay" in part or "smoothed share" in part for part in text)
    assert "the ledger's own column" in text


def test_a_leak_comes_before_everything_else():
    leak = Leak("DaysLate", "known_after", "DaysLate follows the payment itself.")
    shown = content(leaks=[leak])
    page = Page(as_html(shown, verdict(shown), []))
    assert page.text[1].startswith("Not fit for release: DaysLate knows the answer, so")
    assert page.text.index("One leak") < page.text.index("One warning") < page.text.index("Key figures")
    several = [Leak(f"c{place}", "separates", "x") for place in range(6)]
    assert "c0, c1, c2 and 3 more know the answer" in verdict(content(leaks=several))
    order = Leak("", "order", "x")
    assert "not tried on later rows" in verdict(content(leaks=[order]))


def test_texts_are_shown_and_never_read_as_html_or_formulas(tmp_path):
    bad = "<script>alert('$x^2$')</script>&amp;"
    shown = content(
        warnings=[bad],
        candidate=bad,
        leaks=[Leak(bad, "separates", bad)],
        importance=Importances(
            5, sampled=True, auc=0.8, items=[Importance(bad, 0.1, 0.0), Importance("$a$_{", 0.1, 0.0)]
        ),
        data=DataSummary(source=bad, rows=1, train=1, test=1, left_out={bad: 1}, notes=(bad,)),
    )
    page = written(tmp_path, shown)
    assert "script" not in page.tags
    assert page.text.count(bad) >= 6


def test_a_report_of_few_rows_of_one_class_can_be_written(tmp_path):
    one = evaluate(np.array([1, 1]), np.array([0.5, 0.7]), base_rate=0.6)
    page = written(
        tmp_path,
        content(
            model=one,
            baseline=one,
            days=None,
            groups=[],
            candidates=[],
            importance=Importances(2, sampled=False, auc=None, items=[]),
        ),
    )
    assert any("Cannot be judged against the baseline: every test row was paid" in part for part in page.text)
    assert "n/a" in page.text


@pytest.mark.parametrize(
    ("power", "says"),
    [(1.0, "calibrated within noise"), (3.0, r"not well calibrated .* promising \d+\.\d% too little on average")],
)
def test_calibration_is_said_in_words(power, says):
    rng = np.random.default_rng(3)
    p = rng.random(900)
    model = evaluate((rng.random(900) < p).astype(np.int64), p**power, base_rate=0.5)
    assert re.search(says, verdict(content(model=model)))


def test_a_model_that_is_no_better_is_not_called_better():
    shown = content()
    assert verdict(content(baseline=shown.model)).startswith("About as good as the baseline")
    assert verdict(content(model=shown.baseline, baseline=shown.model)).startswith("Worse than the baseline")
