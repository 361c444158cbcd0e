"""The chain over all events."""

from django.db import migrations, models

# Each new event waits for its seal. Seals are added and never changed. TRUNCATE passes by the triggers of rows; it is
# left to a superuser, who can do away with triggers anyhow, and whom only the chain betrays.
GUARD = """
CREATE FUNCTION trail_event_waits() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO trail_unsealed (event_id) VALUES (NEW.id);
    RETURN NULL;
END $$;
CREATE TRIGGER trail_event_waits AFTER INSERT ON trail_event
    FOR EACH ROW EXECUTE FUNCTION trail_event_waits();
CREATE TRIGGER trail_seal_append_only BEFORE UPDATE OR DELETE ON trail_seal
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE FUNCTION refuse_truncate() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
        RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER trail_event_not_emptied BEFORE TRUNCATE ON trail_event
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_truncate();
CREATE TRIGGER trail_seal_not_emptied BEFORE TRUNCATE ON trail_seal
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_truncate();
"""
UNGUARD = """
DROP TRIGGER trail_seal_not_emptied ON trail_seal;
DROP TRIGGER trail_event_not_emptied ON trail_event;
DROP FUNCTION refuse_truncate();
DROP TRIGGER trail_seal_append_only ON trail_seal;
DROP TRIGGER trail_event_waits ON trail_event;
DROP FUNCTION trail_event_waits();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("trail", "0002_append_only"),
    ]

    operations = [
        migrations.CreateModel(
            name="Seal",
            fields=[
                ("number", models.BigIntegerField(primary_key=True, serialize=False, verbose_name="number")),
                ("event_id", models.BigIntegerField(unique=True, verbose_name="event")),
                ("at", models.DateTimeField(verbose_name="sealed")),
                ("code", models.CharField(max_length=330, verbose_name="code over it")),
            ],
            options={
                "verbose_name": "seal",
                "verbose_name_plural": "seals",
            },
        ),
        migrations.CreateModel(
            name="Unsealed",
            fields=[
                ("event_id", models.BigIntegerField(primary_key=True, serialize=False, verbose_name="event")),
            ],
            options={
                "verbose_name": "event without a seal",
                "verbose_name_plural": "events without a seal",
            },
        ),
        migrations.AddField(
            model_name="event",
            name="nonce",
            field=models.CharField(default="", editable=False, max_length=32, verbose_name="nonce"),
        ),
        migrations.AddField(
            model_name="event",
            name="signed",
            field=models.CharField(default="", editable=False, max_length=330, verbose_name="code over it"),
        ),
        migrations.AddField(
            model_name="reason",
            name="signed",
            field=models.CharField(default="", editable=False, max_length=330, verbose_name="code over it"),
        ),
        migrations.AddIndex(
            model_name="event",
            index=models.Index(fields=["reference"], name="event_by_reference", opclasses=["varchar_pattern_ops"]),
        ),
        migrations.AddIndex(
            model_name="event",
            index=models.Index(fields=["staff_id", "-id"], name="event_by_staff"),
        ),
        migrations.AddIndex(
            model_name="event",
            index=models.Index(fields=["at"], name="event_by_moment"),
        ),
        migrations.AddIndex(
            model_name="event",
            index=models.Index(fields=["code", "-id"], name="event_by_code"),
        ),
        migrations.RunSQL(GUARD, UNGUARD),
    ]
