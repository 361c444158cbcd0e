"""The list of themes that a new installation starts with; staff keep it afterwards."""

from django.db import migrations

THEMES = [
    ("civil-political", "Civil and political rights", "Droits civils et politiques"),
    ("civic-space", "Civic space, expression and association", "Espace civique, expression et association"),
    ("defenders", "Human rights defenders", "Défenseurs des droits humains"),
    ("torture-detention", "Torture, detention and the death penalty", "Torture, détention et peine de mort"),
    ("justice", "Justice and the rule of law", "Justice et État de droit"),
    ("women", "Women’s rights and gender equality", "Droits des femmes et égalité des genres"),
    ("children", "Rights of the child", "Droits de l’enfant"),
    ("sogiesc", "Sexual orientation and gender identity", "Orientation sexuelle et identité de genre"),
    ("disability", "Persons with disabilities", "Personnes handicapées"),
    ("minorities", "Minorities, racism and discrimination", "Minorités, racisme et discriminations"),
    ("indigenous", "Indigenous peoples", "Peuples autochtones"),
    ("migration", "Migrants, refugees and stateless persons", "Migrants, réfugiés et apatrides"),
    ("economic-social", "Economic, social and cultural rights", "Droits économiques, sociaux et culturels"),
    ("health", "Health", "Santé"),
    ("education", "Education", "Éducation"),
    ("labour", "Work and trafficking in persons", "Travail et traite des personnes"),
    ("environment", "Environment, climate and business", "Environnement, climat et entreprises"),
    ("institutions", "National institutions and treaties", "Institutions nationales et traités"),
    ("other", "Another theme", "Un autre thème"),
]


def add(apps, schema_editor):
    theme = apps.get_model("applications", "Theme")
    for number, (slug, name_en, name_fr) in enumerate(THEMES, start=1):
        theme.objects.get_or_create(
            slug=slug, defaults={"name_en": name_en, "name_fr": name_fr, "position": number * 10}
        )


class Migration(migrations.Migration):
    dependencies = [("applications", "0001_initial")]

    operations = [migrations.RunPython(add, migrations.RunPython.noop)]
