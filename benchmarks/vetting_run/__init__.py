"""How long one vetting run takes in a job of many lots, and how far its posteriors are from those of the whole job."""
