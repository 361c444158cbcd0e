"""Changing dates as staff do: looking at what changes with them, and pressing the button."""

from presessions.upr.dialogue import BACK, SEEN


def asks(response):
    """Whether the page asks before anything is saved."""
    return response.status_code == 200 and "admin/upr/dates_dialogue.html" in [part.name for part in response.templates]


def typed(response):
    """What the page keeps of what was typed."""
    data = {}
    for name, value in response.context["typed"]:
        data.setdefault(name, []).append(value)
    return data


def agree(client, response, **kwargs):
    """Press "Change the dates"."""
    seen = {SEEN: response.context["seen"]}
    return client.post(response.request["PATH_INFO"], typed(response) | seen, **kwargs)


def back(client, response):
    """Press "Back to what I typed"."""
    return client.post(response.request["PATH_INFO"], typed(response) | {BACK: "1"})


def post(client, url, data, **kwargs):
    """Save, and agree to whatever that changes."""
    response = client.post(url, data, **kwargs)
    return agree(client, response, **kwargs) if asks(response) else response
