"""Measured claims about label vetting: accuracy, calibration, adaptive overlap, skill, speed."""
