"""Which page answers which address. Public pages stand under their language; staff and machines do not."""

from django.contrib import admin
from django.urls import include, path

from missions.urls import for_all as calendars
from presessions import for_machines, views
from presessions.metrics import metrics
from presessions.styleguide import styleguide
from presessions.tongues import in_every_language

urlpatterns = [
    path("health/live", views.live, name="live"),
    path("health/ready", views.ready, name="ready"),
    path("health/mail", views.mail, name="health_mail"),
    path("metrics", metrics, name="metrics"),
    path(".well-known/security.txt", for_machines.security_txt, name="security_txt"),
    path("robots.txt", for_machines.robots_txt, name="robots_txt"),
    path("admin/", admin.site.urls),
    path("", include((calendars, "feeds"))),
    *in_every_language(
        path("styleguide/", styleguide, name="styleguide"),
        path("", include("missions.urls")),
        path("", include("applications.urls")),
    ),
]
