"""Tuning by replay against the whole grid: how near its best, at what share of its cost."""
