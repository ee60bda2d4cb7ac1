"""No two prices of a capability claim the same time: a trigger refuses it."""

from django.db import migrations

PRICES = """
CREATE FUNCTION vendors_refuse_overlap() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('price ' || NEW.capability_id::text, 0));
    IF EXISTS (
        SELECT 1 FROM vendors_pricelistentry p
        WHERE p.capability_id = NEW.capability_id AND p.id <> NEW.id
          AND ((p.valid_until IS NOT NULL AND p.valid_from <= NEW.valid_from AND p.valid_until > NEW.valid_from)
               OR (NEW.valid_until IS NOT NULL AND p.valid_from >= NEW.valid_from AND p.valid_from < NEW.valid_until)))
    THEN
        RAISE EXCEPTION 'price_overlap: another price is listed for this time' USING ERRCODE = 'exclusion_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER price_no_overlap BEFORE INSERT ON vendors_pricelistentry
    FOR EACH ROW EXECUTE FUNCTION vendors_refuse_overlap();
"""


class Migration(migrations.Migration):
    dependencies = [("vendors", "0006_data_class_and_terms")]
    operations = [
        migrations.RunSQL(
            PRICES,
            "DROP TRIGGER price_no_overlap ON vendors_pricelistentry; DROP FUNCTION vendors_refuse_overlap();",
        ),
    ]
