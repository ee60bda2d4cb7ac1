"""The whole service, started as a customer starts it."""
