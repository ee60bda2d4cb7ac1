"""Whether quotes hold: jobs run through a market with hidden parameters, against what was quoted before."""
