"""The project as an app of its own (commands, template tags) and the staff's admin site."""

from django.apps import AppConfig, apps
from django.contrib.admin import apps as django_admin
from django.db.models.signals import post_migrate

from presessions import database_roles, logs, roles


class PresessionsConfig(AppConfig):
    name = "presessions"
    default = True

    def ready(self):
        logs.speak_for_python()
        with_tables = [app for app in apps.get_app_configs() if app.models_module]
        post_migrate.connect(roles.make, sender=with_tables[-1], dispatch_uid="roles")  # by then all rights are there
        post_migrate.connect(database_roles.grant, sender=with_tables[-1], dispatch_uid="database roles")


class AdminConfig(django_admin.AdminConfig):
    default = False
    default_site = "presessions.admin_site.StaffSite"
