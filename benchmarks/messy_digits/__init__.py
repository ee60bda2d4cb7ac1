"""The demo's messy scans: the selector against random, coverage and margin, seed by seed."""
