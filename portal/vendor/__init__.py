"""Pages of a vendor."""
