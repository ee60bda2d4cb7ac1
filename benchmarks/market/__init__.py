"""How fast the market moves: offers, expiries, accepts, idle cost, and how soon the next candidate is asked."""
