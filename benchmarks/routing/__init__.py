"""A simulated market that runs the production ranker beside simpler rules, a router that knows, and a bound."""
