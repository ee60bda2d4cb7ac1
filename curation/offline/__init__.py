"""The offline verb ``manage.py select``: array files in, the next batch with reasons out; no server, no database."""
