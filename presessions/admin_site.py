"""The staff's desk: Django's admin under our name. Home with its work to do hangs here."""

from django.contrib.admin import AdminSite
from django.utils.translation import gettext_lazy as _


class StaffSite(AdminSite):
    site_title = _("Pre-sessions staff")
    site_header = _("Pre-sessions")
    index_title = _("Staff desk")
    empty_value_display = "–"
