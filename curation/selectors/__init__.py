"""Reads of the curation side."""
