"""Selection on messy pools, measured against random and against the strategies people know."""
