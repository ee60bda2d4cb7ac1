"""A model's labels before people's: who sees them, how much they sway, which of them may stand without a person."""

from marketplace.core.first_pass.anchoring import Anchoring, anchoring
from marketplace.core.first_pass.calibration import Audit, Calibration, audit, calibrate
from marketplace.core.first_pass.disagreement import disagrees
from marketplace.core.first_pass.roles import Role, Turn, role_of, unit_of

__all__ = [
    "Anchoring",
    "Audit",
    "Calibration",
    "Role",
    "Turn",
    "anchoring",
    "audit",
    "calibrate",
    "disagrees",
    "role_of",
    "unit_of",
]
