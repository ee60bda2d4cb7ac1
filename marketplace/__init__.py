"""Jobs, routing, offers, annotations, vetting, campaigns: the orchestrator."""
