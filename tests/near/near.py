"""Whom a process of ours may reach: this machine, and nobody else. For tests/connections.py, and on its own in every
Python process that a test starts (`sitecustomize.py` beside it). Imports nothing of ours.

Python tells an audit hook of each connection, each datagram and each question for a name before it happens. A far one
is refused, as if nobody were there, and noted in the folder that FAR names: whose test it was must fail.
"""

import ipaddress
import os
import sys
import tempfile

FOLDER = "CONNECTIONS_TO_FAR"  # the variable of the environment that says where notes go
WATCHED = {
    "socket.connect": 1,  # which argument of the event says where to
    "socket.sendto": 1,
    "socket.sendmsg": 1,
    "socket.getaddrinfo": 0,
    "socket.gethostbyname": 0,
    "socket.gethostbyaddr": 0,
}
HERE = {"", "localhost", "localhost.localdomain", "ip6-localhost", os.uname().nodename.lower()}


class Far(ConnectionRefusedError):
    """Somebody wanted to reach another machine. str() names it."""


def is_near(host):
    """Whether this is our own machine: by number, or by the name every machine has for itself."""
    if host is None or isinstance(host, int):
        return True
    host = (host.decode("ascii", "replace") if isinstance(host, bytes) else host).lower().rstrip(".")
    try:
        number = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host in HERE
    return number.is_loopback or number.is_unspecified


def watch(event, arguments):
    place = WATCHED.get(event)
    if place is None:
        return
    target = arguments[place]
    if event in ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"):
        host, port = target, arguments[1] if len(arguments) > 1 else None
    elif isinstance(target, tuple):
        host, port = target[:2]
    else:
        return  # a socket in the file system, or one that is connected already
    if not is_near(host):
        refuse(f"{host}:{port}" if port else f"{host}")


def refuse(where):
    """Note it, and be nobody there."""
    note(where)
    raise Far(f"Tests reach nobody but this machine, and this was for {where}.")


def note(where):
    folder = os.environ.get(FOLDER)
    if folder and os.path.isdir(folder):
        handle, _path = tempfile.mkstemp(dir=folder)
        with os.fdopen(handle, "w") as file:
            file.write(f"{where} (by {os.path.basename(sys.argv[0]) if sys.argv else 'python'})")


def begin():
    sys.addaudithook(watch)
