"""What was noted at the door, on the page of a meeting. Room: missions."""

from django import template

from missions import door_list

register = template.Library()


@register.inclusion_tag("admin/missions/door/_of_the_day.html", takes_context=True)
def of_the_day(context, meeting):
    """How many came and what was asked, for whoever may read it."""
    perms = context["perms"]
    if not (perms["missions"]["view_doornote"] and meeting.series):
        return {}
    missions, people = door_list.totals([meeting.pk]).get(meeting.pk, (0, 0))
    may_note = perms["missions"]["note_at_door"]
    asked = door_list.asked_at(meeting)
    return {"meeting": meeting, "missions": missions, "people": people, "asked": asked, "may_note": may_note}
