from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("mail", "0006_reports_by_place")]

    operations = [
        migrations.AddField(
            model_name="mailing",
            name="failed_in_a_row",
            field=models.PositiveIntegerField(default=0, verbose_name="letters failed in a row"),
        ),
    ]
