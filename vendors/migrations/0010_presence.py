"""What is believed of whether a vendor is there, instead of when it was last silent."""

from django.db import migrations, models

from vendors.core.posteriors import AWAY_RATIO


class Migration(migrations.Migration):
    dependencies = [("vendors", "0009_rules_on_vendors")]

    operations = [
        migrations.RenameField("ratioposterior", "last_silence_at", "told_at"),
        migrations.AddField("ratioposterior", "p_away", models.FloatField(default=AWAY_RATIO)),
        migrations.AddConstraint(
            "ratioposterior",
            models.CheckConstraint(
                condition=models.Q(("p_away__gte", 0), ("p_away__lte", 1)), name="ratio_away_is_a_probability"
            ),
        ),
    ]
