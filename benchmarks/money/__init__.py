"""Money under crashes, kills and every fault of the network; and a checker that reads both sides' books."""
