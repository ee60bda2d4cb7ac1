"""Version 1: one module per resource, one table of addresses."""
