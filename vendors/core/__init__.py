"""Vendor maths and rules, pure."""
