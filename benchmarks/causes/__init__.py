"""Causes of confusion: planted, then named."""
