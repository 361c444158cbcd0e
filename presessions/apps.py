"""The project as an app of its own (commands, template tags) and the staff's admin site."""

from django.apps import AppConfig
from django.contrib.admin import apps as django_admin


class PresessionsConfig(AppConfig):
    name = "presessions"
    default = True


class AdminConfig(django_admin.AdminConfig):
    default = False
    default_site = "presessions.admin_site.StaffSite"
