"""How the calendar tells the floors above that a date has changed. Room: upr, ground floor; imports nothing of ours."""

from django.dispatch import Signal

# Sent with `series` and `now`, inside the transaction that changed a date of that series, so that whatever is computed
# from the date changes with it or not at all. Sent by Series.announce_dates(); an exception undoes the change.
dates_changed = Signal()
