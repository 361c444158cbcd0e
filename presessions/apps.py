"""The project as an app of its own (commands, template tags) and the staff's admin site."""

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig as DjangoAdminConfig


class PresessionsConfig(AppConfig):
    name = "presessions"
    default = True


class AdminConfig(DjangoAdminConfig):
    default = False
    default_site = "presessions.admin_site.StaffSite"
