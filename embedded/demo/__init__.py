"""The demo: one customer and nine vendors, each a program of its own that knows the service by its HTTP API alone."""
