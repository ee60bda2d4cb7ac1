"""Management commands of the curation side."""
