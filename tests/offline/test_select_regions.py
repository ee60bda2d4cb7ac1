"""``manage.py select`` tells regions without labels on its page."""

import numpy as np

from tests.offline.test_select import D, folder, label, run  # noqa: F401 - a fixture


def without_labels(folder, lacking, rejected=()):  # noqa: F811
    """Write a pool of four blobs, labels of a fifth of all but one, and what could not be labeled of that one."""
    rng = np.random.default_rng(1)
    y = np.arange(600) % 4
    X = (rng.normal(size=(4, D)) * 9)[y] + rng.normal(size=(600, D))
    np.savez(folder / "pool.npz", X=X.astype(np.float32), key=np.array([f"r{row}" for row in range(600)]))
    wanted = rng.choice(np.flatnonzero(y != lacking), 100, replace=False)
    return label(
        folder, [*((f"r{row}", "abcd"[y[row]], "") for row in wanted), *((f"r{r}", "", "odd") for r in rejected)]
    )


def test_the_page_tells_regions_without_labels_and_the_map_shows_them(folder):  # noqa: F811
    run(folder, "--labels", without_labels(folder, lacking=2, rejected=(2, 6, 10)))
    page = (folder / "picks.html").read_text()
    assert "Regions without labels" in page
    row = page.split("Distance to labels")[1].split("<tbody><tr>")[1].split("</tr>")[0]
    cells = [cell.split(">", 1)[1].removesuffix("</td>") for cell in row.split("<td")[1:]]
    assert cells[:6] == ["150", "25 %", "0", "25.0", "3", "100 %"]
    assert {int(key[1:]) % 4 for key in cells[7].split(", ")} == {2}
    assert page.split('<g fill="var(--lacking)"')[1].split("</g>")[0].count("<circle") > 100


def test_where_every_region_has_its_labels_the_page_says_so_and_before_labels_nothing(folder):  # noqa: F811
    run(folder, "--labels", without_labels(folder, lacking=None))
    page = (folder / "picks.html").read_text()
    assert "No region has significantly fewer labels than its share." in page
    assert "regions without labels" not in page
    run(folder, out="first.csv")
    assert "Regions without labels" not in (folder / "first.html").read_text()
