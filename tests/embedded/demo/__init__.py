"""The demo's parts, on canned answers of the API."""
