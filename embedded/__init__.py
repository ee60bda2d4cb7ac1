"""What the one-command run starts: PostgreSQL, Valkey, web server and workers under one supervisor."""
