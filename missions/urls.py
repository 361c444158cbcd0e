"""Addresses of the missions' pages, under the language's prefix. The token stays in them: a recorded deviation."""

from django.urls import path

from missions import views

app_name = "missions"
urlpatterns = [
    path("invitation/<str:token>/", views.invitation, name="invitation"),
    path("invitation/<str:token>/<str:iso2>.ics", views.calendar_entry, name="calendar"),
]
