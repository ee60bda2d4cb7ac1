"""Drift: false alarms in long quiet watches, and batches until planted shifts are told."""
