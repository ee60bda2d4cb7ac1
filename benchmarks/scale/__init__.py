"""What choosing from a large pool costs, and how near the sketch comes to the exact method."""
