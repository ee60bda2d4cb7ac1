"""What labels are worth: shares found of planted wrong labels, and the cost of exact values."""
