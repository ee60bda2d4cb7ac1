"""Who can label."""
