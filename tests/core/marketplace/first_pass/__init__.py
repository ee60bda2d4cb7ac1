"""Tests of the machine's first pass."""
