"""Which machine a request comes from. Room: accounts; imports nothing of ours."""

from ipaddress import IPv6Address, ip_address, ip_network

from django.conf import settings

NETWORK = 64  # bits of an IPv6 address: below them one house has as many as it likes


def sender(request):
    """The address, or for IPv6 the network, that the nearest machine we trust has seen."""
    forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "") if settings.BEHIND_PROXY else ""
    words = forwarded.rsplit(",", 1)[-1].strip() or request.META.get("REMOTE_ADDR", "")
    try:
        address = ip_address(words)
    except ValueError:
        return words
    if isinstance(address, IPv6Address):
        return str(address.ipv4_mapped or ip_network((address, NETWORK), strict=False))
    return str(address)
