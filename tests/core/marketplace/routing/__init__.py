"""Property tests of the ranking."""
