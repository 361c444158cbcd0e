"""The staff's desk: Django's admin under our name. Home with its work to do hangs here."""

from django.contrib.admin import AdminSite
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class StaffSite(AdminSite):
    site_title = _("Pre-sessions staff")
    site_header = _("Pre-sessions")
    index_title = _("Staff desk")
    empty_value_display = "–"

    def index(self, request, extra_context=None):
        from presessions import desk_home  # the rooms stand when somebody asks, not when the site is made

        home = desk_home.context(request.user, timezone.now())
        return super().index(request, {**home, **(extra_context or {})})
