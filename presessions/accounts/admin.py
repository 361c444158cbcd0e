"""Staff accounts in the admin: who is there, in which roles, and a way back for whoever has lost phone or password.

Nobody is deleted, because the trail names people by their number; nobody sets another's password, because then two
would know it. A person is invited by mail and chooses one.
"""

from django import forms
from django.contrib import admin, messages
from django.contrib.auth import admin as _auth  # registers groups, before we take them off
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef
from django.shortcuts import get_object_or_404, redirect
from django.urls import path
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST

from presessions import trail
from presessions.accounts import invitations, second_factor
from presessions.accounts.models import Authenticator, Role, User
from presessions.accounts.proof import proved
from presessions.trail import history

NO_REASON = gettext_lazy("Please say why: it stays in the history.")


class Roles(forms.ModelMultipleChoiceField):
    """Each role with what it is for, as its group says."""

    widget = forms.CheckboxSelectMultiple

    def label_from_instance(self, group):
        role = admin.site.role(group.name)
        return format_html("<span><strong>{}</strong>: {}</span>", role.words, role.may) if role else group.name


class StaffForm(forms.ModelForm):
    groups = Roles(
        label=gettext_lazy("Roles"),
        queryset=Group.objects.order_by("pk"),
        required=False,
        help_text=gettext_lazy("A person may have several; without one she sees nothing."),
    )

    class Meta:
        model = User
        fields = ("email", "name", "language", "is_active", "groups")

    def clean_email(self):
        email = self.cleaned_data["email"]
        if User.objects.filter(email__iexact=email).exclude(pk=self.instance.pk).exists():
            raise forms.ValidationError(_("Somebody with this address is there already."))
        return email


class RoleFilter(admin.RelatedFieldListFilter):
    """Groups under the names that staff know them by."""

    def __init__(self, *facts, **named):
        super().__init__(*facts, **named)
        self.title = Role._meta.verbose_name_plural

    def field_choices(self, field, request, model_admin):
        groups = Group.objects.order_by("pk")
        return [(group.pk, getattr(admin.site.role(group.name), "words", group.name)) for group in groups]


@admin.register(User)
class UserAdmin(admin.ModelAdmin):
    form = StaffForm
    list_display = ("email", "name", "roles", "phone", "is_active", "last_seen")
    list_filter = ("is_active", ("groups", RoleFilter))
    search_fields = ("email", "name")
    ordering = ("name", "email")
    change_form_template = "admin/accounts/user/change_form.html"

    def get_queryset(self, request):
        phone = Authenticator.objects.filter(user=OuterRef("pk"), confirmed=True)
        return super().get_queryset(request).annotate(has_phone=Exists(phone)).prefetch_related("groups")

    @admin.display(description=gettext_lazy("roles"))
    def roles(self, user):
        if user.is_superuser:
            return _("every right")
        known = [(admin.site.role(group.name) or group, group.name) for group in user.groups.all()]
        return format_html_join(", ", "{}", ((getattr(role, "words", name),) for role, name in known)) or None

    @admin.display(description=gettext_lazy("second factor"), boolean=True)
    def phone(self, user):
        return user.has_phone

    @admin.display(description=User._meta.get_field("last_login").verbose_name, ordering="last_login")
    def last_seen(self, user):
        if not user.last_login:
            return None
        moment = date_format(localtime(user.last_login), "j M Y H:i")
        return format_html('<time datetime="{}">{}</time>', user.last_login.isoformat(), moment)

    # --- Who may touch whom ---------------------------------------------------------------------------------------

    def has_change_permission(self, request, obj=None):
        """Only somebody with every right changes somebody with every right."""
        above = obj is not None and obj.is_superuser and not request.user.is_superuser
        return super().has_change_permission(request, obj) and not above

    def has_delete_permission(self, request, obj=None):
        return False

    def lookup_allowed(self, lookup, value, request):
        """Nothing is found out about passwords by asking for those that begin like this or that."""
        return not lookup.startswith("password") and super().lookup_allowed(lookup, value, request)

    def get_readonly_fields(self, request, obj=None):
        """Nobody gives herself a right: a second person does."""
        own = obj is not None and obj.pk == request.user.pk and not request.user.is_superuser
        return ("is_active", "groups") if own else ()

    # --- Steps ----------------------------------------------------------------------------------------------------

    def save_model(self, request, obj, form, change):
        now = timezone.now()
        if not change:
            obj.is_staff = True
            obj.set_unusable_password()
        super().save_model(request, obj, form, change)
        if not change:
            trail.record(obj, "staff_added", now=now, by=request.user)
            invitations.send_link(obj, by=request.user, now=now)
            messages.info(request, _("A letter with a link to choose a password is on its way."))
        elif "is_active" in form.changed_data:
            trail.record(obj, "activated" if obj.is_active else "deactivated", now=now, by=request.user)
        elif {"email", "name", "language"} & set(form.changed_data):
            trail.record(obj, "staff_changed", now=now, by=request.user)

    def save_related(self, request, form, formsets, change):
        before = {group.name for group in form.instance.groups.all()} if change else set()
        super().save_related(request, form, formsets, change)
        after = set(form.instance.groups.values_list("name", flat=True))
        now = timezone.now()
        for code, names in (("role_given", after - before), ("role_taken", before - after)):
            for name in sorted(names):
                trail.record(form.instance, code, now=now, by=request.user, reason=name)

    @method_decorator(proved)
    def changeform_view(self, request, object_id=None, form_url="", extra_context=None):
        return super().changeform_view(request, object_id, form_url, extra_context)

    def history_view(self, request, object_id, extra_context=None):
        return self.change_view(request, object_id)  # ours is part of the page

    def change_view(self, request, object_id, form_url="", extra_context=None):
        user = self.get_object(request, object_id)
        facts = {}
        if user:
            facts = {"phone_of": second_factor.of(user), "codes_left": second_factor.codes_left(user), "person": user}
            facts |= {"may_reset": self.has_change_permission(request, user), "history": history.of(user, request)}
        return super().change_view(request, object_id, form_url, {**facts, **(extra_context or {})})

    def get_urls(self):
        def page(route, view, name):
            return path(route, self.admin_site.admin_view(view), name=f"accounts_{name}")

        return [
            page("<int:pk>/second-factor/", self.reset_second_factor, "reset_second_factor"),
            page("<int:pk>/link/", self.send_link, "send_link"),
            page("<int:pk>/log-out/", self.log_out, "log_out"),
            *super().get_urls(),
        ]

    def _person(self, request, pk):
        user = get_object_or_404(User, pk=pk)
        if not self.has_change_permission(request, user):
            raise PermissionDenied
        return user

    def reset_second_factor(self, request, pk):
        return _reset(request, model_admin=self, pk=pk)

    def send_link(self, request, pk):
        return _send(request, model_admin=self, pk=pk)

    def log_out(self, request, pk):
        return _log_out(request, model_admin=self, pk=pk)


@require_POST
@proved
def _reset(request, *, model_admin, pk):
    user = model_admin._person(request, pk)
    reason = request.POST.get("reason", "").strip()[:300]
    if not reason:
        trail.record(user, "second_factor_reset", now=timezone.now(), by=request.user, refused=True)
        messages.error(request, NO_REASON)
    else:
        second_factor.reset(user, by=request.user, reason=reason, now=timezone.now())
        messages.success(request, _("Done. At the next log-in a new phone is set up."))
    return redirect("admin:accounts_user_change", user.pk)


@require_POST
@proved
def _send(request, *, model_admin, pk):
    user = model_admin._person(request, pk)
    if user.is_active and user.is_staff:
        invitations.send_link(user, by=request.user, now=timezone.now())
        messages.success(request, _("A letter with a link to choose a password is on its way."))
    else:
        messages.error(request, _("This account is not active: first make it active."))
    return redirect("admin:accounts_user_change", user.pk)


@require_POST
@proved
def _log_out(request, *, model_admin, pk):
    user = model_admin._person(request, pk)
    user.log_out_everywhere(by=request.user, now=timezone.now())
    if user == request.user:
        update_session_auth_hash(request, user)
    messages.success(request, _("Done. In every browser this person is asked for password and code again."))
    return redirect("admin:accounts_user_change", user.pk)


# --- Roles -----------------------------------------------------------------------------------------------------------

admin.site.unregister(_auth.Group)


@admin.register(Role)
class RoleAdmin(admin.ModelAdmin):
    """The six roles, to read: what each may do stands in the source and is tested there."""

    list_display = ("role", "what_for", "people")
    search_fields = ("name",)
    ordering = ("pk",)
    fields = ("role", "what_for", "who", "rights")
    readonly_fields = fields

    def get_queryset(self, request):
        return super().get_queryset(request).prefetch_related("user_set")

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False

    @admin.display(description=gettext_lazy("role"), ordering="name")
    def role(self, group):
        known = self.admin_site.role(group.name)
        return known.words if known else group.name

    @admin.display(description=gettext_lazy("what it is for"))
    def what_for(self, group):
        known = self.admin_site.role(group.name)
        return known.may if known else None

    @admin.display(description=gettext_lazy("people"))
    def people(self, group):
        number = sum(user.is_active for user in group.user_set.all())
        return ngettext("%(n)s person", "%(n)s people", number) % {"n": number}

    @admin.display(description=gettext_lazy("people"))
    def who(self, group):
        return ", ".join(str(user) for user in group.user_set.all() if user.is_active) or None

    @admin.display(description=gettext_lazy("rights"))
    def rights(self, group):
        """In words, by what they are about; Django's own four verbs in ours."""
        verbs = {"view": _("read"), "add": _("add"), "change": _("change"), "delete": _("delete")}
        about, special = {}, []
        for right in group.permissions.select_related("content_type"):
            verb, _sep, _model = right.codename.partition("_")
            model = right.content_type.model_class()
            if verb in verbs and model and right.codename == f"{verb}_{model._meta.model_name}":
                about.setdefault(str(model._meta.verbose_name_plural), set()).add(verb)
            else:
                special.append(_(right.name))
        lines = [
            f"{name}: {', '.join(word for verb, word in verbs.items() if verb in held)}"
            for name, held in sorted(about.items())
        ]
        return format_html("<ul>{}</ul>", format_html_join("", "<li>{}</li>", ((line,) for line in special + lines)))
