"""Whoever had sent a private security note before there was a mask is masked, as those who send one now are."""

from django.db import migrations

MASK = """
UPDATE applications_application SET at_risk = TRUE
WHERE submitted_at IS NOT NULL AND octet_length(security_note) > 0
"""


class Migration(migrations.Migration):
    dependencies = [("applications", "0008_the_desk")]

    operations = [migrations.RunSQL(MASK, migrations.RunSQL.noop)]
