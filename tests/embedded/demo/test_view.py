"""Events fold into counts and sentences."""

import io

from rich.console import Console

from embedded.demo import console
from embedded.demo.console import Frame, Screen
from embedded.demo.view import View, sentence
from tests.embedded.demo import canned
from tests.embedded.demo.canned import event


def folded() -> View:
    view = View()
    view.add("job_1", canned.events())
    return view


def test_events_add_up() -> None:
    view = folded()
    job, steady = view.jobs["job_1"], view.vendors["Steady Hands"]
    assert (job.n_ordered, job.n_labeled, job.n_unlabelable, job.lots_closed) == (10, 8, 2, 1)
    assert (job.round, job.accuracies, job.state, job.paid_micro) == (1, [0.61], "finished", 990_000)
    assert (job.n_fallbacks, job.fates["accepted"]) == (1, 1)
    assert (steady.n_paid, steady.paid_micro, steady.verdicts["accepted"]) == (20, 900_000, 1)


def test_giving_up_and_escalating_are_counted() -> None:
    view = View()
    facts = {"reason": "past_due", "n_done": 11, "n_left": 9}
    view.add("j", [event("assignment.failed", "Halfway Labels", **facts), event("batch.escalated")])
    view.add("j", [event("overlap.added", n_records=3), event("batch.offering", run="rnk_1")])
    job = view.jobs["j"]
    assert (job.n_reoffered, job.n_fallbacks, job.n_escalated, job.n_extra_batches) == (1, 1, 1, 1)
    assert view.lines[0][1] == "Halfway Labels gave up (past_due): 11 labels kept, 9 offered again"


def test_only_what_a_reader_cares_for_becomes_a_line() -> None:
    assert sentence(event("annotations.received", "Steady Hands", n_new=6)) == ""
    assert sentence(event("offer.declined", "Picky Pixels")) == "Picky Pixels declined (–): on to the next candidate"


def screen_of(*, is_terminal: bool) -> tuple[Console, io.StringIO]:
    output = io.StringIO()
    return Console(file=output, force_terminal=is_terminal, width=160), output


def frame() -> Frame:
    return Frame(folded(), {"job_1": "selector"}, 42.0, 5, 3)


def test_the_screen_shows_campaigns_vendors_and_events() -> None:
    output, text = screen_of(is_terminal=False)
    output.print(console.render(frame()))
    shown = text.getvalue()
    for words in (
        "seed 3",
        "selector",
        "1/5 ✓",
        "61.0% ▃",
        "$0.99",
        "never answers an offer",
        "Steady Hands",
        "simulated",
    ):
        assert words in shown


def test_where_nothing_can_be_redrawn_events_are_printed_once() -> None:
    output, text = screen_of(is_terminal=False)
    with Screen(output) as screen:
        screen.show(frame(), [("job_1", "round 1: 40 records chosen and ordered")])
        screen.show(frame(), [])
    assert text.getvalue().splitlines() == ["   42 s   selector  round 1: 40 records chosen and ordered"]


def test_a_terminal_gets_a_live_screen() -> None:
    output, text = screen_of(is_terminal=True)
    with Screen(output) as screen:
        screen.show(frame(), [])
    assert "what happens" in text.getvalue()
