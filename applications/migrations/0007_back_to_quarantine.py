"""Files that were let in before there were cleaned copies go back to quarantine: the bell scans and cleans them, and
nobody opens an original meanwhile."""

from django.db import migrations
from django.db.models import F


def back_to_quarantine(apps, schema_editor):
    attachments = apps.get_model("applications", "Attachment").objects
    uncleaned = attachments.filter(state="checked", cleaned="")
    uncleaned.update(state="quarantine", checked_at=None, next_look_at=F("uploaded_at"))


class Migration(migrations.Migration):
    dependencies = [("applications", "0006_themes_in_six_languages")]

    operations = [migrations.RunPython(back_to_quarantine, migrations.RunPython.noop)]
