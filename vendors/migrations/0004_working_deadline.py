"""When a number of working seconds will have passed for a vendor that keeps hours: two probes of an index."""

from django.db import migrations

FUNCTION = """
CREATE FUNCTION vendors_working_deadline(vendor uuid, start timestamptz, window_s float8, cap_s float8)
RETURNS timestamptz LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT least(
        start + cap_s * interval '1 second',
        (SELECT i.opens_at + (spent.worked_s + window_s - i.open_before_s) * interval '1 second'
         FROM vendors_openinterval i
         WHERE i.vendor_id = vendor AND i.open_before_s < spent.worked_s + window_s
         ORDER BY i.open_before_s DESC LIMIT 1))
    FROM (SELECT coalesce((
        SELECT i.open_before_s + extract(epoch FROM least(start, i.closes_at) - i.opens_at)::float8
        FROM vendors_openinterval i
        WHERE i.vendor_id = vendor AND i.opens_at <= start
        ORDER BY i.opens_at DESC LIMIT 1), 0) AS worked_s) spent
$$;
"""


class Migration(migrations.Migration):
    dependencies = [("vendors", "0003_working_hours")]
    operations = [migrations.RunSQL(FUNCTION, "DROP FUNCTION vendors_working_deadline(uuid, timestamptz, float8, float8);")]
