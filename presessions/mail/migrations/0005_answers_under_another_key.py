"""What a server answered may be written again under another key of the keyset, and is still never changed otherwise.

The database cannot read either; that they say the same is seen to by who holds the keys. What it can see is that the
name of the key differs, so that no two rows under the same key are ever exchanged.
"""

from django.db import migrations

LET_ROTATE = """
CREATE OR REPLACE FUNCTION mail_attempt_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    again boolean;
    names integer;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        again := FALSE;
        IF length(OLD.answer) > 28 AND length(NEW.answer) > 28 THEN
            names := get_byte(NEW.answer, 1) - get_byte(OLD.answer, 1);
            again := length(NEW.answer) = length(OLD.answer) + names
                AND substr(NEW.answer, 1, 2 + get_byte(NEW.answer, 1))
                 <> substr(OLD.answer, 1, 2 + get_byte(OLD.answer, 1));
        END IF;
        OLD.answer := CASE WHEN again THEN NEW.answer ELSE ''::bytea END;
        IF NEW IS NOT DISTINCT FROM OLD THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'mail_attempt is append-only' USING ERRCODE = 'insufficient_privilege';
END $$;
"""
ONLY_EMPTY = """
CREATE OR REPLACE FUNCTION mail_attempt_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        OLD.answer := ''::bytea;
        IF NEW IS NOT DISTINCT FROM OLD THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'mail_attempt is append-only' USING ERRCODE = 'insufficient_privilege';
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("mail", "0004_forgotten_letters")]

    operations = [migrations.RunSQL(LET_ROTATE, ONLY_EMPTY)]
