"""Every query strategy, ours and the peers', on clean and messy pools at equal labels (``make bench-selection``)."""
