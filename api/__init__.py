"""The REST API: HTTP in, one service call, JSON out."""
