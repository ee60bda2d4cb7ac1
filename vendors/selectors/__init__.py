"""Reads of the vendor side."""
