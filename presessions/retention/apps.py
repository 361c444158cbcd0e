from django.apps import AppConfig
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from presessions import retention


class RetentionConfig(AppConfig):
    name = "presessions.retention"
    verbose_name = _("What is forgotten")

    def ready(self):
        if wrong := list(retention.wrong_days()):
            raise ImproperlyConfigured(" ".join(wrong))
