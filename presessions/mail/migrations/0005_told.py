from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("mail", "0004_released_by"),
    ]

    operations = [
        migrations.AddField(
            model_name="mailing",
            name="told",
            field=models.JSONField(null=True, verbose_name="dates that it told"),
        ),
    ]
