"""Jobs, routing, offers, annotations, vetting, campaigns."""
