"""The ledger's rules in the database: entries never change, balances follow them and nothing else, currencies agree."""

from django.db import migrations

FORWARD = """
CREATE TRIGGER entry_append_only BEFORE UPDATE OR DELETE ON common_ledgerentry
    FOR EACH ROW EXECUTE FUNCTION labelyard_refuse_change();
CREATE TRIGGER entry_no_truncate BEFORE TRUNCATE ON common_ledgerentry
    FOR EACH STATEMENT EXECUTE FUNCTION labelyard_refuse_change();
CREATE TRIGGER account_stays BEFORE DELETE ON common_ledgeraccount
    FOR EACH ROW EXECUTE FUNCTION labelyard_refuse_change();

CREATE FUNCTION labelyard_book() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM booked e JOIN common_ledgeraccount a ON a.id IN (e.debit_id, e.credit_id)
               WHERE a.currency <> e.currency) THEN
        RAISE EXCEPTION 'an entry moves money between currencies' USING ERRCODE = 'check_violation';
    END IF;
    UPDATE common_ledgeraccount a SET balance = a.balance + moved.change
    FROM (SELECT id, sum(change) AS change FROM (
              SELECT credit_id AS id, amount AS change FROM booked
              UNION ALL SELECT debit_id, -amount FROM booked) part
          GROUP BY id) moved
    WHERE a.id = moved.id;
    RETURN NULL;
END $$;
CREATE TRIGGER entry_booked AFTER INSERT ON common_ledgerentry
    REFERENCING NEW TABLE AS booked FOR EACH STATEMENT EXECUTE FUNCTION labelyard_book();

CREATE FUNCTION labelyard_guard_balance() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF pg_trigger_depth() = 1 AND (NEW.balance <> (CASE WHEN TG_OP = 'UPDATE' THEN OLD.balance ELSE 0 END)) THEN
        RAISE EXCEPTION 'a balance changes by entries only' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER account_balance_guard BEFORE INSERT OR UPDATE ON common_ledgeraccount
    FOR EACH ROW EXECUTE FUNCTION labelyard_guard_balance();
"""
BACKWARD = """
DROP TRIGGER account_balance_guard ON common_ledgeraccount;
DROP FUNCTION labelyard_guard_balance();
DROP TRIGGER entry_booked ON common_ledgerentry;
DROP FUNCTION labelyard_book();
DROP TRIGGER account_stays ON common_ledgeraccount;
DROP TRIGGER entry_no_truncate ON common_ledgerentry;
DROP TRIGGER entry_append_only ON common_ledgerentry;
"""


class Migration(migrations.Migration):
    dependencies = [("common", "0003_ledger")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
