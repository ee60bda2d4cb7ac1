"""The offline verb ``manage.py aggregate``: answer files in, vetted labels and a quality report out; no database."""
