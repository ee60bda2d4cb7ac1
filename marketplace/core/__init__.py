"""Market maths, pure: no Django, no I/O."""
