"""Pages of a customer."""
