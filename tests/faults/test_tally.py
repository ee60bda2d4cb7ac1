"""A race that is interrupted goes on where it was."""

import uuid
from collections import Counter

from benchmarks.races.story import Story
from benchmarks.races.tally import Tally


def test_what_is_done_is_kept_and_taken_up_again(tmp_path):
    story, offer, work = Story(), uuid.uuid4(), uuid.uuid4()
    story.read([f"accepted {offer} {work}", "expired 7", "refused offer_taken", "refused offer_taken", "error X: y"])
    assert story.assignments == {offer: {work}}
    assert story.errors == ["X: y"]
    tally = Tally.load(tmp_path / "state.json", seed=3)
    tally.add(Counter(accepted=1, expired=7), story, ["something"], 2.0)
    tally.save(tmp_path / "state.json")
    again = Tally.load(tmp_path / "state.json", seed=9)
    assert again == tally
    assert (again.n_decisions, again.refused, again.findings) == (8, Counter(offer_taken=2), ["something"])
    assert again.next_seed() == 3_000_001
    again.write(tmp_path)
    assert "| decisions | 8 |" in (tmp_path / "races.md").read_text()
