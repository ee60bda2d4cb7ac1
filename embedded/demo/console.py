"""The demo's live screen: what the view holds, as tables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from embedded.demo.behaviours import CAST
from embedded.demo.view import JobTally, VendorTally, View

_BARS = "▁▂▃▄▅▆▇█"
_N_LINES = 9


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture of the running demo."""

    view: View
    arms: Mapping[str, str]
    elapsed_s: float
    n_rounds: int
    seed: int


def sparkline(accuracies: Sequence[float], low: float = 0.5, high: float = 1.0) -> str:
    """Draw accuracies as bars between two marks.

    >>> sparkline([0.5, 0.75, 1.0])
    '▁▅█'
    """
    steps = len(_BARS) - 1
    return "".join(_BARS[round(min(max((a - low) / (high - low), 0), 1) * steps)] for a in accuracies)


def render(frame: Frame) -> RenderableType:
    """Return the whole screen."""
    title = f"[bold]Labelyard[/] · seed {frame.seed} · {frame.elapsed_s:4.0f} s · vendors' answers are simulated"
    return Group(Text.from_markup(title), arms_table(frame), vendors_table(frame.view), lines_panel(frame))


def arms_table(frame: Frame) -> Table:
    """Return one row per campaign."""
    table = _table("campaign", "round", "records", "labeled", "cannot label", "accuracy", "offers", "fallbacks", "paid")
    for job, arm in frame.arms.items():
        tally = frame.view.jobs.get(job, JobTally())
        table.add_row(arm, *_arm_cells(tally, frame.n_rounds))
    return table


def _arm_cells(tally: JobTally, n_rounds: int) -> tuple[str, ...]:
    accuracy = f"{tally.accuracies[-1]:.1%} {sparkline(tally.accuracies)}" if tally.accuracies else "–"
    rounds = f"{tally.round}/{n_rounds}" + (" ✓" if tally.state == "finished" else "")
    counts = (tally.n_ordered, tally.n_labeled, tally.n_unlabelable)
    return (
        rounds,
        *map(str, counts),
        accuracy,
        str(tally.fates.total()),
        str(tally.n_fallbacks),
        money(tally.paid_micro),
    )


def vendors_table(view: View) -> Table:
    """Return one row per vendor."""
    table = _table(
        "vendor", "nature", "accepted", "declined", "no answer", "given up", "verdicts ✓ ↺ ✗", "paid", left=2
    )
    for behaviour in CAST:
        tally = view.vendors.get(behaviour.name, VendorTally())
        verdicts = " ".join(f"{tally.verdicts[outcome]:3d}" for outcome in ("accepted", "rework", "rejected"))
        fates = [str(tally.offers[fate]) for fate in ("accepted", "declined", "expired")]
        table.add_row(behaviour.name, behaviour.vice, *fates, str(tally.n_failed), verdicts, money(tally.paid_micro))
    return table


def lines_panel(frame: Frame) -> Panel:
    """Return what happened last."""
    lines = list(frame.view.lines)[-_N_LINES:]
    text = "\n".join(f"{frame.arms.get(job, ''):>9}  {words}" for job, words in lines)
    return Panel(
        Text(text, no_wrap=True, overflow="ellipsis"), title="what happens", title_align="left", height=_N_LINES + 2
    )


def money(micro: int) -> str:
    """Return an amount in words.

    >>> money(12_340_000)
    '$12.34'
    """
    return f"${micro / 1e6:,.2f}"


def _table(*columns: str, left: int = 1) -> Table:
    table = Table(expand=False, pad_edge=False, header_style="dim")
    for number, column in enumerate(columns):
        table.add_column(column, justify="left" if number < left else "right", no_wrap=True)
    return table


class Screen:
    """The live screen; where the output is no terminal, the same events as plain lines."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._live = Live(console=console, refresh_per_second=4, transient=True) if console.is_terminal else None
        self._n_printed = 0

    def __enter__(self) -> "Screen":
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()

    def show(self, frame: Frame, fresh: Sequence[tuple[str, str]]) -> None:
        """Show a frame; the fresh lines are printed where nothing can be redrawn."""
        if self._live is not None:
            self._live.update(render(frame))
            return
        for job, words in fresh:
            self.console.print(f"{frame.elapsed_s:5.0f} s  {frame.arms.get(job, ''):>9}  {words}", highlight=False)

    def say(self, words: str) -> None:
        """Print a line that stays."""
        self.console.print(words, highlight=False)
