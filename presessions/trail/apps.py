from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class TrailConfig(AppConfig):
    name = "presessions.trail"
    verbose_name = _("Trail")

    def ready(self):
        from presessions.trail import retention  # noqa: F401 -- it registers its rule
