"""A million racing decisions with kills, two sweepers and no broker; and the checker that reads the tables."""
