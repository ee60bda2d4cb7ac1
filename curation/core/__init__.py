"""Which records are worth labeling, and why: the maths, pure."""
