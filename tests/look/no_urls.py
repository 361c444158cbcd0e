"""No address at all: what an error page must bear."""

urlpatterns = []
