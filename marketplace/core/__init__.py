"""Market maths and rules, pure."""
