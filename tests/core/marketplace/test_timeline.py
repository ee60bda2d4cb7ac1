"""The critical path of a lot: it leaves out nothing, counts nothing twice, and names who held it up."""

import datetime
import itertools
import random

import pytest

from marketplace.core.timeline import Change, Stage, Step, path, paused

START = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)


def at(hour: float) -> datetime.datetime:
    return START + datetime.timedelta(hours=hour)


def waits(batch: str, chunk: int, *stages: tuple[float, Stage | None]) -> list[Change]:
    return [Change(at(hour), batch, chunk, stage) for hour, stage in stages]


def told(steps: list[Step]) -> list[tuple[str, float, str]]:
    return [(step.stage.value, step.lasted / datetime.timedelta(hours=1), step.batch) for step in steps]


def test_the_slower_of_two_layers_held_it_up():
    quick = waits("quick", 0, (0, Stage.OFFER), (1, Stage.LABEL), (2, None))
    slow = waits("slow", 0, (0, Stage.OFFER), (3, Stage.LABEL), (7, None))
    steps = path(quick + slow, at(0), at(8))
    assert told(steps) == [("offer", 3, "slow"), ("label", 4, "slow"), ("vet", 1, "slow")]


def test_a_further_layer_leads_back_to_the_one_that_asked_for_it():
    first = waits("first", 0, (0, Stage.OFFER), (1, Stage.LABEL), (2, None))
    more = waits("more", 0, (3, Stage.OFFER), (4, Stage.LABEL), (6, None))
    other = waits("other", 1, (0, Stage.OFFER), (2.5, Stage.LABEL), (2.9, None))
    names = [("offer", 1, "first"), ("label", 1, "first"), ("vet", 1, "first")]
    names += [("offer", 1, "more"), ("label", 2, "more"), ("vet", 1, "more")]
    assert told(path(first + more + other, at(0), at(7))) == names


def test_a_batch_refused_and_offered_again_waits_anew():
    stages = [(0, Stage.OFFER), (1, Stage.LABEL), (2, None), (3, Stage.OFFER), (5, Stage.LABEL), (6, None)]
    steps = path(waits("one", 0, *stages), at(0), at(6))
    assert [name for name, _, _ in told(steps)] == ["offer", "label", "vet", "offer", "label"]


def test_a_lot_still_out_is_held_up_until_now():
    out = waits("out", 0, (0, Stage.OFFER), (2, Stage.DECIDE))
    back = waits("back", 1, (0, Stage.OFFER), (1, Stage.LABEL), (1.5, None))
    assert told(path(out + back, at(0), at(9))) == [("offer", 2, "out"), ("decide", 7, "out")]


def test_a_lot_without_batches_was_only_vetted():
    assert told(path([], at(0), at(2))) == [("vet", 2, "")]
    assert path([], at(0), at(0)) == []


@pytest.mark.parametrize("seed", range(200))
def test_whatever_happened_the_steps_add_up_exactly(seed):
    rng = random.Random(seed)
    stages = [None, Stage.OFFER, Stage.LABEL, Stage.DECIDE]
    changes = [
        Change(START + datetime.timedelta(microseconds=rng.randrange(-5, 60)), f"b{n % 4}", n % 2, rng.choice(stages))
        for n in range(rng.randrange(20))
    ]
    start, end = START, START + datetime.timedelta(microseconds=50)
    steps = path(changes, start, end)
    pauses = [
        (start + datetime.timedelta(microseconds=n), start + datetime.timedelta(microseconds=n + 4)) for n in (3, 9)
    ]
    ours = [Step(Stage.SELECT, start - datetime.timedelta(microseconds=9), start), *steps]
    for found in (steps, paused(ours, pauses)):
        assert all(one.end == after.start and one.start < one.end for one, after in itertools.pairwise(found))
        assert found[-1].end == end
    assert sum((one.lasted for one in steps), datetime.timedelta()) == end - start


def test_a_pause_holds_up_us_and_no_vendor():
    steps = [Step(Stage.SELECT, at(0), at(2)), Step(Stage.LABEL, at(2), at(4)), Step(Stage.TRAIN, at(4), at(6))]
    cut = paused(steps, [(at(1), at(5))])
    assert [name for name, _, _ in told(cut)] == ["select", "paused", "label", "paused", "train"]
    assert sum((one.lasted for one in cut), datetime.timedelta()) == datetime.timedelta(hours=6)
