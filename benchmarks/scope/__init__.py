"""What is out of scope: planted foreign rows, and German sentences among English ones, marked and left alone."""
