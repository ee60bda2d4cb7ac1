"""Run-length codes of masks, in the form that COCO made common: columns first, background first.

``counts`` are the lengths of runs that take turns, background then object, down the columns from left to right; or the
same as a text of printable characters, six bits each.

References
----------
T.-Y. Lin et al., "Microsoft COCO: common objects in context", 2014; the format as its data describe it.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Counts = npt.NDArray[np.int64]
FIRST_CHARACTER, DATA_BITS, SIGN, MORE = 48, 5, 0x10, 0x20
MOST_CHARACTERS = 7
"""Characters of one number at most: 35 bits hold any run there can be."""


def encoded(counts: Sequence[int]) -> str:
    """Return counts as a text: from the fourth on, the difference to the run of the same kind before.

    >>> encoded([6, 1, 40, 4, 5, 4, 5, 4, 21]), decoded(encoded([6, 1, 40, 4, 5, 4, 5, 4, 21]))
    ('61X13mN000`0', [6, 1, 40, 4, 5, 4, 5, 4, 21])
    """
    text = []
    for place, count in enumerate(counts):
        number = count - counts[place - 2] if place > 2 else count
        while True:
            bits, number = number & 0x1F, number >> DATA_BITS
            is_last = number == (-1 if bits & SIGN else 0)
            text.append(chr(FIRST_CHARACTER + (bits if is_last else bits | MORE)))
            if is_last:
                break
    return "".join(text)


def decoded(text: str) -> list[int]:
    """Return the counts in a text.

    Raises
    ------
    ValueError
        Names the place of a character that cannot stand there, or of a run below zero.
    """
    counts: list[int] = []
    number = shift = 0
    for place, character in enumerate(text):
        bits = ord(character) - FIRST_CHARACTER
        if not 0 <= bits < 2 * MORE or shift >= DATA_BITS * MOST_CHARACTERS:
            raise ValueError(f"character {place} of the counts, {character!r}, cannot stand there")
        number |= (bits & 0x1F) << shift
        shift += DATA_BITS
        if bits & MORE:
            continue
        if bits & SIGN:
            number -= 1 << shift
        number += counts[-2] if len(counts) > 2 else 0
        if number < 0:
            raise ValueError(f"run {len(counts)} of the counts, ending at character {place}, is below zero")
        counts.append(number)
        number = shift = 0
    if shift:
        raise ValueError("the counts end in the middle of a number")
    return counts


def tidied(counts: Sequence[int]) -> list[int]:
    """Return the one shortest form of a mask: no empty runs but a first one, none after the last.

    >>> tidied([0, 2, 0, 3, 1, 0]), tidied([2, 0, 3])
    ([0, 5, 1], [5])
    """
    found: list[int] = [0]
    kind = 0
    for place, count in enumerate(counts):
        if count == 0:
            continue
        if place % 2 == kind:
            found[-1] += count
        else:
            found.append(count)
            kind = place % 2
    return found


def of_mask(mask: npt.ArrayLike) -> list[int]:
    """Return the counts of a mask of booleans, shape (height, width).

    >>> of_mask([[0, 1], [1, 1]])
    [1, 3]
    """
    flat = np.asarray(mask, dtype=np.bool_).ravel(order="F")
    if not flat.size:
        return [0]
    ends = np.append(np.flatnonzero(flat[1:] != flat[:-1]) + 1, flat.size)
    counts: list[int] = np.diff(ends, prepend=0).tolist()
    return [0, *counts] if flat[0] else counts


def to_mask(counts: Sequence[int], height: int, width: int) -> npt.NDArray[np.bool_]:
    """Return the mask, shape (height, width).

    Raises
    ------
    ValueError
        When the runs do not fill it.
    """
    if sum(counts) != height * width:
        raise ValueError(f"the runs cover {sum(counts)} pixels, the mask has {height * width}")
    kinds = np.arange(len(counts)) % 2 == 1
    return np.repeat(kinds, counts).reshape((height, width), order="F")


def area(counts: Sequence[int]) -> int:
    """Return the pixels of the object."""
    return int(sum(counts[1::2]))


def box(counts: Sequence[int], height: int) -> tuple[int, int, int, int]:
    """Return x, y, width and height of the upright box around the object; zeros when there is none.

    >>> box([1, 2, 2, 1, 3], 3)
    (0, 1, 2, 2)
    """
    ends = np.cumsum(np.asarray(counts, dtype=np.int64))
    first, last = ends[0:-1:2], ends[1::2] - 1
    is_run = last >= first
    first, last = first[is_run], last[is_run]
    if not len(first):
        return 0, 0, 0, 0
    left, right = int(first[0] // height), int(last[-1] // height)
    is_wrapped = first // height != last // height  # goes on in the next column: touches bottom and top
    top = 0 if is_wrapped.any() else int((first % height).min())
    bottom = height - 1 if is_wrapped.any() else int((last % height).max())
    return left, top, right - left + 1, bottom - top + 1


def iou(first: Sequence[int], second: Sequence[int]) -> float:
    """Return the overlap of two masks of one size, runs against runs; 1 when both are empty.

    Raises
    ------
    ValueError
        When they cover different numbers of pixels.

    Notes
    -----
    O(runs log runs): a mask is never unfolded to pixels.

    Examples
    --------
    >>> iou([0, 4, 4], [2, 4, 2])
    0.3333333333333333
    """
    if sum(first) != sum(second):
        raise ValueError(f"the masks cover {sum(first)} and {sum(second)} pixels")
    ends = np.cumsum(np.asarray(first, dtype=np.int64))
    filled = np.cumsum(np.where(np.arange(len(first)) % 2 == 1, first, 0))
    at, within = np.concatenate([[0], ends]), np.concatenate([[0], filled])
    other = np.cumsum(np.asarray(second, dtype=np.int64))
    starts, stops = other[0:-1:2], other[1::2]
    common = float((np.interp(stops, at, within) - np.interp(starts, at, within)).sum())
    either = area(first) + area(second) - common
    return common / either if either else 1.0
