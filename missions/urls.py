"""Addresses of the missions' pages, under the language's prefix. The token stays in them: a recorded deviation.

Calendars for everybody (`for_all`) stand apart, without a language: a program keeps their address for years.
"""

from django.urls import path, re_path

from missions import check_page, feedback_views, feeds, pack_views, views

app_name = "missions"
# What an address may hold is what may be looked for: a column would refuse other signs by an error.
BEHIND, ISO2 = r"invitation/(?P<token>[^/]+)", r"(?P<iso2>[A-Z]{2})"
urlpatterns = [
    path("invitation/", views.new_link, name="new_link"),
    path("invitation/sent/", views.new_link_sent, name="new_link_sent"),
    path("invitation/<str:token>/colleagues/", views.pass_on, name="pass_on"),
    re_path(
        rf"^{BEHIND}/colleagues/(?P<reference>[0-9A-Z]{{5}}-[0-9A-Z]{{5}})/$",
        views.close_colleague,
        name="close_colleague",
    ),
    path("invitation/<str:token>/", views.invitation, name="invitation"),
    path("invitation/<str:token>/feedback/", feedback_views.give, name="feedback"),
    path("invitation/<str:token>/my-meetings.ics", feeds.mine, name="my_meetings"),
    path("invitation/<str:token>/all.ics", feeds.all_meetings, name="all_meetings"),
    re_path(rf"^{BEHIND}/{ISO2}\.ics$", views.calendar_entry, name="calendar"),
    path("register/<str:token>/", check_page.register_check, name="register_check"),
    path("invitation/<str:token>/pack/", pack_views.all_of_series, name="packs"),
    re_path(rf"^{BEHIND}/{ISO2}/pack/$", pack_views.page, name="pack"),
    re_path(rf"^{BEHIND}/{ISO2}/pack/all\.zip$", pack_views.download, name="pack_download"),
    re_path(rf"^{BEHIND}/{ISO2}/pack/(?P<key>[0-9a-f]{{20}})/$", pack_views.file, name="pack_file"),
]

for_all = [
    re_path(r"^(?P<number>\d{1,4})\.ics$", feeds.series, name="series"),
    re_path(r"^(?P<number>\d{1,4})/(?P<iso2>[A-Z]{2})\.ics$", feeds.meeting, name="meeting"),
    re_path(r"^state/(?P<iso2>[A-Z]{2})\.ics$", feeds.state, name="state"),
]
