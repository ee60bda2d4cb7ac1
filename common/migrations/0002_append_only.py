"""The audit trail is append-only: a trigger refuses to change or remove a row."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION labelyard_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'TRUNCATE' AND current_setting('labelyard.allow_truncate', true) = 'on' THEN
        RETURN NULL; -- a test database is emptied between tests
    END IF;
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE ON common_auditevent
    FOR EACH ROW EXECUTE FUNCTION labelyard_refuse_change();
CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON common_auditevent
    FOR EACH STATEMENT EXECUTE FUNCTION labelyard_refuse_change();
"""
BACKWARD = """
DROP TRIGGER audit_no_truncate ON common_auditevent;
DROP TRIGGER audit_append_only ON common_auditevent;
DROP FUNCTION labelyard_refuse_change();
"""


class Migration(migrations.Migration):
    dependencies = [("common", "0001_initial")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
