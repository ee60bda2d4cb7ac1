"""A listed price is never changed: a trigger refuses it."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("vendors", "0001_initial"), ("common", "0002_append_only")]
    operations = [
        migrations.RunSQL(
            "CREATE TRIGGER price_immutable BEFORE UPDATE OR DELETE ON vendors_pricelistentry "
            "FOR EACH ROW EXECUTE FUNCTION labelyard_refuse_change();",
            "DROP TRIGGER price_immutable ON vendors_pricelistentry;",
        )
    ]
