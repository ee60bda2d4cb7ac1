"""A stand-in for the payment provider: the part of Stripe's API that we use, over real HTTP, with faults on demand."""
