"""What happened to a letter is added and never changed; only the server's words may be emptied, for they can name people."""

from django.db import migrations

REFUSE = """
CREATE FUNCTION mail_attempt_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        OLD.answer := ''::bytea;
        IF NEW IS NOT DISTINCT FROM OLD THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'mail_attempt is append-only' USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER mail_attempt_append_only BEFORE UPDATE OR DELETE ON mail_attempt
    FOR EACH ROW EXECUTE FUNCTION mail_attempt_refuse();
"""
ALLOW = """
DROP TRIGGER mail_attempt_append_only ON mail_attempt;
DROP FUNCTION mail_attempt_refuse();
"""


class Migration(migrations.Migration):
    dependencies = [("mail", "0001_initial")]

    operations = [migrations.RunSQL(REFUSE, ALLOW)]
