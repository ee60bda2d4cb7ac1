"""Writes of the vendor side."""
