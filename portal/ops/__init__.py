"""Pages of the platform's staff."""
