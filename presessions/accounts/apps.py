from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from presessions.trail import words


class AccountsConfig(AppConfig):
    name = "presessions.accounts"
    verbose_name = _("Accounts")

    def ready(self):
        from presessions.accounts import retention  # noqa: F401 -- it registers its rules

        words.give("accounts", WORDS, looks=("logged_in", "logged_out", "locked_out", "proved"))


WORDS = {
    "logged_in": _("logged in"),
    "logged_out": _("logged out"),
    "logged_out_everywhere": _("logged out of every browser"),
    "locked_out": _("locked out for a quarter of an hour, at one address"),
    "proved": _("proved again who it is"),
    "password_set": _("new password chosen, by a link"),
    "password_changed": _("password changed"),
    "link_sent": _("link to choose a password sent"),
    "second_factor_set": _("phone set up"),
    "second_factor_reset": _("second factor reset"),
    "recovery_codes_made": _("new recovery codes made"),
    "recovery_code_used": _("recovery code used"),
    "staff_added": _("added to the staff"),
    "staff_changed": _("name, address or language changed"),
    "activated": _("made active again"),
    "deactivated": _("made inactive"),
    "role_given": _("role given"),
    "role_taken": _("role taken away"),
    "forgotten": _("forgotten, because its time was over"),
}
