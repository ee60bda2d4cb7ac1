"""Choosing, vetting and routing in one, against the same three one after the other, at equal spend."""
