"""From files to verdicts: what each batch of ``manage.py drift`` is, in the order of their arrival."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from common.rows import FileError
from curation.core.drift import Records, Reference, Verdict, watch
from curation.offline import pools

AS_USUAL, SEASON, DRIFT = "as usual", "season", "drift"


@dataclass(frozen=True, slots=True)
class Watched:
    """A batch by the name of its file, how many records it has, and what it is."""

    name: str
    n_records: int
    verdict: Verdict

    @property
    def state(self) -> str:
        """In a word or two."""
        if not self.verdict.differences:
            return AS_USUAL
        return DRIFT if self.verdict.is_alarm else SEASON

    @property
    def words(self) -> str:
        """What differs."""
        return " ".join(one.words for one in self.verdict.differences)


def run(reference: Path, batches: Sequence[Path], seasons: Mapping[str, Path], seed: int) -> Iterable[Watched]:
    """Return the verdict on each batch as it is reached.

    Raises
    ------
    FileError
        When a file cannot be used, or does not fit the reference.
    """
    usual = _reference(reference, seed)
    known = {name: _reference(path, seed) for name, path in seasons.items()}
    before: Records | None = None
    for path in batches:
        batch = _records(path)
        try:
            verdict = watch(usual, batch, before, known)
        except ValueError as error:
            raise FileError(f"{path.name}: {error}") from error
        before = None if verdict.differences else batch
        yield Watched(path.stem, len(batch), verdict)


def _reference(path: Path, seed: int) -> Reference:
    try:
        return Reference(_records(path), np.random.default_rng(seed))
    except ValueError as error:
        raise FileError(f"{path.name}: {error}") from error


def _records(path: Path) -> Records:
    pool = pools.load(path)
    return Records(np.asarray(pool.X, dtype=np.float32), pool.proba)


def as_csv(watched: Sequence[Watched]) -> bytes:
    """Return batch,records,verdict,season,ways,p,words, one line a batch; p is the smallest, all tests counted in."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("batch", "records", "verdict", "season", "ways", "p", "words"))
    for one in watched:
        found = one.verdict.differences
        ways = " ".join(difference.way for difference in found)
        p = f"{found[0].p:.2g}" if found else ""
        writer.writerow((one.name, one.n_records, one.state, one.verdict.season, ways, p, one.words))
    return text.getvalue().encode()
