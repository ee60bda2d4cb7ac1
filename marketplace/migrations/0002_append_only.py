"""The market's events are append-only: a trigger refuses to change or remove one."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("marketplace", "0001_initial"), ("common", "0002_append_only")]
    operations = [
        migrations.RunSQL(
            "CREATE TRIGGER event_append_only BEFORE UPDATE OR DELETE ON marketplace_routingevent "
            "FOR EACH ROW EXECUTE FUNCTION labelyard_refuse_change();",
            "DROP TRIGGER event_append_only ON marketplace_routingevent;",
        )
    ]
