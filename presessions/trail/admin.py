"""The trail, readable and nothing else."""

from django.contrib import admin

from presessions.trail.models import Event


@admin.register(Event)
class EventAdmin(admin.ModelAdmin):
    list_display = ("at", "room", "reference", "code", "staff_id", "refused")
    list_filter = ("room", "refused")
    search_fields = ("reference",)
    ordering = ("-at", "-pk")
    show_full_result_count = False

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False
