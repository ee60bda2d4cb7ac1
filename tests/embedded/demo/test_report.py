"""The report and its checks say what the results say."""

import io
from html.parser import HTMLParser

import numpy as np
import pytest

from embedded.demo import material, report, summary
from embedded.demo.payments import VendorMoney
from embedded.demo.png import data_uri, png
from embedded.demo.results import Results
from tests.embedded.demo import canned


def outcomes(results: Results) -> dict[str, bool]:
    return {check.statement: check.is_passed for check in summary.checks(results, canned.pool())}


def failing(results: Results) -> list[str]:
    return [statement for statement, is_passed in outcomes(results).items() if not is_passed]


def test_a_good_run_passes_every_check() -> None:
    assert canned.results().is_complete
    assert (
        failing(
            canned.results(selector=canned.arm("selector", (1, 0)), random=canned.arm("random", (3, 3), (0.5, 0.7)))
        )
        == []
    )


@pytest.mark.parametrize(
    ("foreign", "accuracies", "expected"),
    [
        ((1, 1), (0.5, 0.6), "final accuracy"),
        ((3, 3), (0.6, 0.8), "at most half"),
        ((0, 1), (0.6, 0.8), "falling"),
    ],
)
def test_what_does_not_hold_is_told(foreign: tuple[int, ...], accuracies: tuple[float, ...], expected: str) -> None:
    selector, random = canned.arm("selector", foreign, accuracies), canned.arm("random", (3, 3), (0.5, 0.7))
    (failed,) = failing(canned.results(selector=selector, random=random))
    assert expected in failed


def test_a_lost_a_doubled_or_an_open_record_fails_the_loop() -> None:
    for spoil in (lambda labels: labels[:-1], lambda labels: labels + labels[:1], _open_one):
        arm = canned.arm("selector", (1, 0))
        arm.labels = spoil(arm.labels)
        assert "selector: every record asked was decided exactly once" in failing(
            canned.results(selector=arm, random=canned.arm("random"))
        )


def _open_one(labels: list[dict[str, object]]) -> list[dict[str, object]]:
    return [*labels[:-1], labels[-1] | {"state": "open"}]


def test_the_loop_is_complete_only_with_every_round_evaluated_and_the_campaign_finished() -> None:
    for change in ({"max_rounds": 3}, {"state": "paused"}):
        arm = canned.arm("selector")
        arm.campaign |= change
        assert not canned.results(selector=arm, random=canned.arm("random")).is_complete
    arm = canned.arm("selector")
    arm.rounds[-1]["metrics"] = None
    assert not canned.results(selector=arm, random=canned.arm("random")).is_complete
    assert not Results(0, 1.0, {}).is_complete


def test_an_arm_in_numbers() -> None:
    arm = summary.of_arm(canned.arm("selector"), canned.pool())
    assert (arm.n_asked, arm.n_labeled, arm.n_unlabelable, arm.spent) == (20, 17, 3, 2.0)
    assert arm.label_accuracy == pytest.approx(16 / 17)
    assert arm.shares("foreign") == [0.2, 0.1]
    assert arm.share("foreign") == pytest.approx(0.15)
    assert summary.price_of_everything(arm, canned.pool()) == pytest.approx(0.1 * len(canned.pool().X))


class Outline(HTMLParser):
    """Collects what a page refers to and whether its elements close."""

    def __init__(self) -> None:
        super().__init__()
        self.sources: list[str] = []
        self.headings = 0
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.sources += [value or "" for name, value in attrs if name in {"src", "href"}]
        self.headings += tag == "h2"
        if tag in {"section", "table", "ul", "figure", "svg", "div"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in {"section", "table", "ul", "figure", "svg", "div"}:
            assert self.open.pop() == tag


def test_the_report_is_one_file_that_needs_nothing_else() -> None:
    page = report.build(canned.results(), canned.pool())
    outline = Outline()
    outline.feed(page)
    assert outline.open == []
    assert outline.headings == 8
    assert not [s for s in outline.sources if not s.startswith(("data:", "#"))]
    for words in (
        "answers are simulated",
        "FAIL",
        "PASS",
        "Halfway Labels, failed",
        "97.0% (90.0% to 99.0%)",
        "Round 2",
        "<td>Steady Hands</td><td>$3.0500</td><td>$3.0000</td><td>$0.0500</td><td>2</td>",
        "4 lines of the provider's books compared",
    ):
        assert words in page
    assert "Covers &lt;much&gt;." in page


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"refunded_micro": 7_110_000}, "every cent topped up"),
        ({"vendors": {"steady": VendorMoney(2_050_000, 1_000_000, 2)}}, "vendors were sent"),
        ({"run": {"n_theirs": 4, "n_differences": 1, "book_problems": []}}, "our books are"),
        ({"run": {"n_theirs": 0, "n_differences": 0, "book_problems": []}}, "our books are"),
        ({"run": {"n_theirs": 4, "n_differences": 0, "book_problems": ["x"]}}, "our books are"),
    ],
)
def test_money_that_is_not_where_it_should_be_is_told(changes: dict[str, object], expected: str) -> None:
    found = canned.results(selector=canned.arm("selector", (1, 0)), random=canned.arm("random", (3, 3), (0.5, 0.7)))
    found.money = canned.money(**changes)
    (failed,) = failing(found)
    assert expected in failed


def test_the_same_results_make_the_same_report() -> None:
    assert report.build(canned.results(), canned.pool()) == report.build(canned.results(), canned.pool())


def test_scans_become_pictures() -> None:
    scan = np.zeros(64, dtype=np.float32)
    assert data_uri(scan).startswith("data:image/png;base64,")
    assert png(np.zeros((8, 8), dtype=np.uint8)).startswith(b"\x89PNG\r\n\x1a\n")


def test_what_the_customer_uploads_holds_no_truth() -> None:
    made = material.make(3)
    arrays = np.load(io.BytesIO(material.archive(made.pool)), allow_pickle=False)
    assert set(arrays) == {"X", "key", "uri", "anchor", "anchor_label", "X_test", "y_test", "classes"}
    assert material.kind_of(made.pool, str(arrays["key"][7])) in {"digit", "near copy", "foreign", "corrupted"}


def test_gold_and_test_records_look_like_all_others() -> None:
    made = material.make(0)
    records = made.gold + made.test
    keys = {record["key"] for record in records}
    assert len(keys) == len(records)
    assert keys.isdisjoint(material.key_of(row) for row in range(len(made.pool.X)))
    assert all(set(record) - {"label", "cannot_label"} == {"key", "uri"} for record in records)
    assert all(record["uri"] in made.truth for record in records)
