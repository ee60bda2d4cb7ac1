"""When a vendor works: its weekly hours and closures, and what they come to in the next weeks."""

from django.db import models
from django.db.models import F, Q

from common.models import BaseModel
from vendors.models.vendors import Vendor


class WorkingHours(BaseModel):
    """A vendor's weekly hours in its time zone (that of its capacity window); a vendor without is always open.

    ``weekly`` maps ``mon`` to ``sun`` to stretches of minutes after local midnight, ``closures`` lists first and last
    local day. ``refresh_due_at`` is when the open intervals have to be laid out further ahead.
    """

    public_prefix = "whr"

    vendor = models.OneToOneField(Vendor, on_delete=models.CASCADE, related_name="hours")
    weekly = models.JSONField()
    closures = models.JSONField(default=list)
    refresh_due_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["refresh_due_at"], name="hours_refresh_due")]


class OpenInterval(models.Model):
    """A stretch in which a vendor is open. ``open_before_s`` counts the working seconds of all stretches before it.

    So a number of working seconds is added with two probes of an index, inside the statement that makes an offer.
    """

    id = models.BigAutoField(primary_key=True)
    vendor = models.ForeignKey(Vendor, on_delete=models.CASCADE, related_name="open_intervals")
    opens_at = models.DateTimeField()
    closes_at = models.DateTimeField()
    open_before_s = models.FloatField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["vendor", "opens_at"], name="interval_once"),
            models.CheckConstraint(condition=Q(closes_at__gt=F("opens_at")), name="interval_positive"),
        ]
        indexes = [models.Index(fields=["vendor", "open_before_s"], name="interval_by_work")]

    def __str__(self) -> str:
        return f"{self.opens_at:%Y-%m-%d %H:%M} to {self.closes_at:%Y-%m-%d %H:%M} UTC"
