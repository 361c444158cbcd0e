from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MissionsConfig(AppConfig):
    name = "missions"
    verbose_name = _("Permanent Missions")

    def ready(self):
        from missions import mailings, work  # noqa: F401 -- they register what this room sends, and to how many
