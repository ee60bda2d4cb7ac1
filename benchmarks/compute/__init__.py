"""What a round costs in compute: scoring a part against all, training anew, and the forecast of the next round."""
