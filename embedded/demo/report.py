"""The demo's report: one HTML file that needs nothing else, built from a run's results alone."""

from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path
from string import Template

from embedded.demo import material, plots, summary
from embedded.demo.behaviours import CAST, Behaviour
from embedded.demo.payments import Money
from embedded.demo.png import data_uri
from embedded.demo.pool import KINDS, MessyDigits
from embedded.demo.results import Arm, Results, Row
from embedded.demo.summary import ArmSummary, Check
from embedded.demo.view import VendorTally

_N_PICKS_SHOWN = 10
_FATE_SIGNS = {"accepted": "✓", "declined": "✗", "expired": "⏱", "withdrawn": "–", "live": "…"}


def build(results: Results, pool: MessyDigits) -> str:
    """Return the page."""
    arms = {name: summary.of_arm(arm, pool) for name, arm in results.arms.items()}
    sections = [
        ("The result", _result(results, arms, pool)),
        ("Learning curves", plots.learning_curves(list(results.arms.values()))),
        ("Junk avoided", _junk(arms, pool)),
        ("Bought against label-everything", _bought(arms["selector"], pool)),
        ("Vendors", _vendors(results)),
        ("Money", _money(results.money)),
        ("Offer chain of every batch", "".join(_chains(arm) for arm in results.arms.values())),
        ("Picks and their reasons", _picks(results.arms["selector"], pool)),
    ]
    body = "\n".join(f"<section><h2>{title}</h2>\n{content}</section>" for title, content in sections)
    frame = Template(Path(__file__).with_name("report.html").read_text(encoding="utf-8"))
    return frame.substitute(seed=results.seed, elapsed=f"{results.elapsed_s:.0f}", body=body)


def _result(results: Results, arms: dict[str, ArmSummary], pool: MessyDigits) -> str:
    header = (
        "",
        "records asked",
        "labeled",
        "cannot label",
        "unresolved",
        "labels right",
        "test accuracy",
        "junk",
        "spent",
    )
    rows = [_arm_row(arm) for arm in arms.values()]
    return table(header, rows) + checklist(summary.checks(results, pool))


def _arm_row(arm: ArmSummary) -> list[str]:
    counts = [str(n) for n in (arm.n_asked, arm.n_labeled, arm.n_unlabelable, arm.n_unresolved)]
    ratios = [f"{ratio:.1%}" for ratio in (arm.label_accuracy, arm.accuracies[-1], arm.share(*summary.JUNK))]
    return [arm.name, *counts, *ratios, f"${arm.spent:,.2f}"]


def checklist(checks: Iterable[Check]) -> str:
    """Return statements with their outcome."""
    items = "".join(
        f'<li class="{"pass" if c.is_passed else "fail"}"><b>{"PASS" if c.is_passed else "FAIL"}</b> '
        f"{escape(c.statement)} <small>({escape(c.detail)})</small></li>"
        for c in checks
    )
    return f'<ul class="checks">{items}</ul>'


def _junk(arms: dict[str, ArmSummary], pool: MessyDigits) -> str:
    share = summary.pool_share(pool)
    figures = [
        plots.foreign_shares(list(arms.values()), share),
        *(plots.kinds_by_round(arm, KINDS) for arm in arms.values()),
    ]
    words = f"<p>{share:.1%} of the pool is foreign: the selector knows neither which rows nor how many.</p>"
    return words + f'<div class="row">{"".join(figures)}</div>'


def _bought(selector: ArmSummary, pool: MessyDigits) -> str:
    everything = summary.price_of_everything(selector, pool)
    plot = plots.bought_against_everything(selector.n_asked, len(pool.X), selector.spent, everything)
    words = (
        f"<p>{selector.n_asked} of {len(pool.X)} records were asked for ${selector.spent:,.2f}. The whole pool at the "
        f"same average price per record would cost ${everything:,.2f} (computed, not bought).</p>"
    )
    return words + plot


def _vendors(results: Results) -> str:
    header = (
        "vendor", "nature", "price", "state", "accepted", "declined", "no answer", "given up",
        "verdicts ✓ ↺ ✗", "labels paid", "paid", "accuracy as judged", "simulated error",
    )  # fmt: skip
    tallies = results.view().vendors
    rows = [_vendor_row(b, tallies.get(b.name, VendorTally()), results.vendors.get(b.key)) for b in CAST]
    return table(header, rows)


def _money(money: Money | None) -> str:
    """Return where the customer's money went, what each vendor was sent, and what the comparison of books found."""
    if money is None:
        return "<p>No money moved.</p>"
    flows = [("topped up by card", money.topped_up_micro), *money.uses.items()]
    flows.append(("kept by the payment provider (borne by the platform)", money.provider_fee_micro))
    rows = [
        [behaviour.name, *map(_dollars, (v.earned_micro, v.sent_micro, v.owed_micro)), str(v.n_payouts)]
        for behaviour in CAST
        if (v := money.vendors.get(behaviour.key))
    ]
    words = (
        "<p>Every payment went through the stand-in provider over HTTP. A day of this run has 8 seconds; a payout "
        "waits until a vendor is owed a dollar.</p>"
    )
    verdict = (
        f"<p>Reconciliation: {money.n_compared} lines of the provider's books compared with ours, "
        f"<b>{money.n_different} differ</b>; all accounts together: {money.ledger_sum_micro} micro-dollars.</p>"
    )
    header = ("vendor", "earned", "sent", "still owed", "payouts")
    flow_table = table(("", "US dollars"), [[name, _dollars(micro)] for name, micro in flows])
    return words + flow_table + f"<h3>Daily payouts</h3>{table(header, rows)}" + verdict


def _dollars(micro: int) -> str:
    return f"${micro / 1e6:,.4f}"


def _vendor_row(behaviour: Behaviour, tally: VendorTally, own: Row | None) -> list[str]:
    fates = [str(tally.offers[fate]) for fate in ("accepted", "declined", "expired")]
    verdicts = " / ".join(str(tally.verdicts[outcome]) for outcome in ("accepted", "rework", "rejected"))
    paid = f"${tally.paid_micro / 1e6:,.2f}"
    error = "random clicks" if behaviour.is_spammer else f"{behaviour.error_ratio:.1%}"
    price, state = f"${behaviour.price_micro / 1e6:.3f}", str(own["state"]) if own else "–"
    numbers = [*fates, str(tally.n_failed), verdicts, str(tally.n_paid), paid, _accuracy(own), error]
    return [behaviour.name, behaviour.vice, price, state, *numbers]


def _accuracy(own: Row | None) -> str:
    """Return what the market believes of a vendor's accuracy, with the interval."""
    cards = (own or {}).get("scorecard") or []
    belief = next((card.get("accuracy") for card in cards if card.get("accuracy")), None)
    return f"{belief['mean']:.1%} ({belief['low']:.1%} to {belief['high']:.1%})" if belief else "–"


def _chains(arm: Arm) -> str:
    rows = [
        [f"{batch['lot_number']}.{batch['chunk'] + 1}.{batch['layer'] + 1}", str(batch["n_items"]), _chain(batch)]
        for batch in sorted(arm.batches, key=lambda b: (b["lot_number"], b["chunk"], b["layer"]))
    ]
    caption = (
        f"<h3>{escape(arm.name)}</h3><p>Batches are numbered round.chunk.layer; layers are blind second opinions.</p>"
    )
    return f"{caption}{table(('batch', 'records', 'offers in order, with their fate'), rows, raw=True)}"


def _chain(batch: Row) -> str:
    return " → ".join(_link(offer) for offer in batch["offers"])


def _link(offer: Row) -> str:
    """Return an offer with its fate, and how the work ended where it did not end well."""
    ended = offer["assignment_state"] if offer["assignment_state"] in {"failed", "rejected"} else ""
    words = f"{_FATE_SIGNS[offer['state']]} {offer['vendor_name']}{f', {ended}' if ended else ''}"
    why = offer["reason"] or offer["state"]
    return f'<span class="offer {escape(ended or offer["state"])}" title="{escape(why)}">{escape(words)}</span>'


def _picks(arm: Arm, pool: MessyDigits) -> str:
    labels = {row["key"]: row for row in arm.labels}
    numbers = sorted({pick["round"] for pick in arm.picks})
    parts = []
    for number in numbers:
        shown = [pick for pick in arm.picks if pick["round"] == number][:_N_PICKS_SHOWN]
        cards = "".join(_pick(pick, labels.get(pick["key"]), pool) for pick in shown)
        parts.append(f'<h3>Round {number}</h3><div class="picks">{cards}</div>')
    words = (
        f"The first {_N_PICKS_SHOWN} picks of each round; the frame shows what the simulation knows the record to be."
    )
    return f"<p>{words}</p>{''.join(parts)}"


def _pick(pick: Row, label: Row | None, pool: MessyDigits) -> str:
    kind = material.kind_of(pool, pick["key"])
    picture = data_uri(pool.X[material.row_of(pick["key"])])
    got = (label or {}).get("label") or (label or {}).get("cannot_label") or "–"
    return (
        f'<figure class="{kind.replace(" ", "-")}"><img src="{picture}" alt="{escape(kind)}" width="56" height="56">'
        f"<figcaption><b>{escape(str(got))}</b> <i>{escape(kind)}</i> {escape(pick['words'])}</figcaption></figure>"
    )


def table(header: Sequence[str], rows: Iterable[Sequence[str]], *, raw: bool = False) -> str:
    """Return an HTML table; ``raw`` says that the last column is HTML already."""
    head = "".join(f"<th>{escape(cell)}</th>" for cell in header)
    lines = []
    for row in rows:
        cells = [escape(cell) for cell in row]
        if raw:
            cells[-1] = row[-1]
        lines.append("<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>")
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{"".join(lines)}</tbody></table></div>'
