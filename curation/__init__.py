"""Which records are worth labeling, and why."""
