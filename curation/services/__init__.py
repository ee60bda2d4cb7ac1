"""Writes of the curation side."""
