"""``manage.py select --classes``: a class without a label is sought where the pool does not name it."""

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from tests.offline.files import read


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(0)
    X = (np.repeat(rng.normal(size=(3, 6)) * 4, 60, axis=0) + rng.normal(size=(180, 6))).astype(np.float32)
    np.savez(tmp_path / "pool.npz", X=X)
    np.savez(tmp_path / "named.npz", X=X, classes=np.array(["ant", "bee", "cow"]))
    labels = [f"{row},{'ant' if row % 2 else 'bee'},\n" for row in range(8)]
    (tmp_path / "labels.csv").write_text("key,label,reason\n" + "".join(labels))
    return tmp_path


def select(folder, pool="pool.npz", **more):
    options = {"labels": folder / "labels.csv", "out": folder / "picks.csv", "batch_size": 10, "verbosity": 0} | more
    call_command("select", folder / pool, **options)
    return read(folder / "picks.csv")


def test_a_class_named_on_the_command_line_is_sought_as_one_the_pool_names(folder):
    named, told = select(folder, "named.npz"), select(folder, classes="ant, bee,cow")
    assert [row["reason"] for row in told] == [row["reason"] for row in named]
    assert sum("Drawn at random to find 'cow'" in row["reason"] for row in told) == 3
    assert not [row for row in select(folder) if "Drawn at random" in row["reason"]]


def test_other_classes_make_another_batch_under_a_state(folder):
    first = select(folder, state=folder / "state")
    assert select(folder, state=folder / "state") == first
    later = select(folder, state=folder / "state", classes="ant,bee,cow")
    assert not {row["key"] for row in later} & {row["key"] for row in first}


@pytest.mark.parametrize(
    ("pool", "classes", "words"),
    [
        ("named.npz", "ant,bee,cow", "leave --classes out"),
        ("pool.npz", "ant", "two or more different names"),
        ("pool.npz", "ant,bee,ant", "two or more different names"),
        ("pool.npz", "ant,cow", "bee"),
    ],
)
def test_classes_that_do_not_fit_are_refused(folder, pool, classes, words):
    with pytest.raises(CommandError, match=words):
        select(folder, pool, classes=classes)
    assert not (folder / "picks.csv").exists()
