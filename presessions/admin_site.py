"""The staff's desk: Django's admin under our name, with our ways in. Home with its work to do hangs here."""

from functools import partial

from django.contrib import messages
from django.contrib.admin import AdminSite
from django.shortcuts import redirect
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from presessions import roles, trail


class StaffSite(AdminSite):
    site_title = _("Pre-sessions staff")
    site_header = _("Pre-sessions")
    index_title = _("Staff desk")
    empty_value_display = "–"

    def has_permission(self, request):
        """Both factors have been given. The doors ask the same (accounts/doors.py); this is the bolt behind them."""
        return super().has_permission(request) and getattr(request.user, "otp_device", None) is not None

    def role(self, name):
        """What a group's name stands for (roles.py), or None."""
        return roles.called(name)

    def get_urls(self):
        from presessions import desk_forgetting
        from presessions.accounts import views  # once the apps are there

        forgotten = partial(desk_forgetting.page, site=self)
        return [
            path("retention/", self.admin_view(forgotten), name="retention"),
            path("second-factor/", views.second_factor_page, name="second_factor"),
            path("second-factor/new/", views.enrol, name="enrol"),
            path("password/forgotten/", views.forgotten, name="forgotten"),
            path("password/forgotten/asked/", views.forgotten_asked, name="forgotten_asked"),
            path("password/new/<str:uid>/<str:token>/", views.new_password, name="new_password"),
            path("your-log-in/", self.admin_view(views.my_log_in), name="my_log_in"),
            path("your-log-in/phone/", self.admin_view(views.another_phone), name="another_phone"),
            path("your-log-in/elsewhere/", self.admin_view(views.log_out_elsewhere), name="log_out_elsewhere"),
            path("your-log-in/codes/", self.admin_view(views.new_codes), name="new_codes"),
            *super().get_urls(),
        ]

    def index(self, request, extra_context=None):
        from presessions import desk_home  # as above

        home = desk_home.context(request.user, timezone.now())
        return super().index(request, {**home, **(extra_context or {})})

    def login(self, request, extra_context=None):
        from presessions.accounts import views

        return views.log_in(request)

    def logout(self, request, extra_context=None):
        if request.method == "POST" and request.user.is_authenticated:
            trail.record(request.user, "logged_out", now=timezone.now(), by=request.user)
        answer = super().logout(request, extra_context)
        if request.method != "POST":
            return answer
        messages.success(request, _("You are logged out."))
        return redirect("admin:login")

    def password_change(self, request, extra_context=None):
        from presessions.accounts import proof  # as above

        if request.method == "POST" and not proof.comes_with(request):
            return redirect("admin:password_change")  # which asks; passwords are carried along in no page
        if asked := proof.first(request, now=timezone.now()):
            return asked
        answer = super().password_change(request, extra_context)
        if answer.status_code == 302:  # it is changed; the form has asked for the old one
            trail.record(request.user, "password_changed", now=timezone.now(), by=request.user)
        return answer
