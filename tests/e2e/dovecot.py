"""A real Dovecot with one mailbox, on free loopback ports, for whoever runs the tests: root or not.

Debian's package dovecot-imapd is enough; nothing of the machine's own configuration is read, and its own Dovecot, if
one runs, is not touched. Root's Dovecot drops to its own users, and keeps the mailbox as `nobody`, as it never opens
one as root.
"""

import getpass
import grp
import mailbox
import os
import pwd
import secrets
import shutil
import ssl
import sys
import time
from pathlib import Path
from urllib.parse import quote

from presessions.devservers import CannotStart, Server, free_port
from tests.mail.certificates import make_certificate

PROGRAM = shutil.which("dovecot", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
USER = "bounces@example.org"

CONFIGURATION = """
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/dovecot.log
protocols = imap
listen = 127.0.0.1
mail_location = maildir:{folder}/mail/box
ssl = required
ssl_cert = <{certificate}
ssl_key = <{key}
first_valid_uid = 1
{users}
passdb {{
  driver = passwd-file
  args = scheme=PLAIN username_format=%u {folder}/passwords
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={folder}/mail
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {starttls_port}
  }}
  inet_listener imaps {{
    port = {port}
    ssl = yes
  }}
}}
service anvil {{
  chroot =
}}
"""

NOT_ROOT = """
default_internal_user = {name}
default_login_user = {name}
default_internal_group = {group}
"""


class Dovecot(Server):
    name, domain = "dovecot", "bounces.example.org"
    environment = {"PATH": f"{os.defpath}:/usr/sbin"}

    def __init__(self, folder):
        if not PROGRAM:
            raise CannotStart("There is no dovecot: install it (Debian: apt-get install dovecot-imapd).")
        super().__init__(folder)
        self.asked = 0
        self.starttls_port, self.password = free_port(), secrets.token_urlsafe(12) + "/@ü"
        owner = pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
        self.owner, self.mail = owner, self.folder / "mail"
        self.certificate, key = make_certificate(self.folder)
        for path in (self.mail, self.folder / "state"):
            path.mkdir()
        (self.folder / "passwords").write_text(f"{USER}:{self.password}\n")
        self.configuration = self.folder / "dovecot.conf"
        self.configuration.write_text(
            CONFIGURATION.format(
                folder=self.folder,
                certificate=self.certificate,
                key=key,
                uid=owner.pw_uid,
                gid=owner.pw_gid,
                port=self.port,
                starttls_port=self.starttls_port,
                users="" if os.geteuid() == 0 else NOT_ROOT.format(name=getpass.getuser(), group=_group(owner)),
            )
        )
        self.box = mailbox.Maildir(self.mail / "box")
        self._give_away()

    @property
    def url(self):
        return f"imaps://{quote(USER, safe='')}:{quote(self.password, safe='')}@127.0.0.1:{self.port}/INBOX"

    @property
    def starttls_url(self):
        return self.url.replace("imaps://", "imap+tls://").replace(f":{self.port}/", f":{self.starttls_port}/")

    def deliver(self, raw):
        """As a mail server does: a new file in the mailbox."""
        self.box.add(raw)
        self._give_away()

    def empty(self):
        self.box.clear()

    def flags(self):
        """The flags of each mail, "S" for one that was read."""
        return [mail.get_flags() for mail in self.box]

    def new_logins(self):
        """What it has written about logins since it was asked last; waits until it writes no more."""
        log, before = (self.folder / "dovecot.log").read_text(), None
        while log != before:
            time.sleep(0.5)
            log, before = (self.folder / "dovecot.log").read_text(), log
        new, self.asked = log[self.asked :], len(log)
        return [line for line in new.splitlines() if "Login" in line]

    def _give_away(self):
        if os.geteuid() == 0:
            for path in [self.mail, *self.mail.rglob("*")]:
                os.chown(path, self.owner.pw_uid, self.owner.pw_gid)

    def _command(self):
        return [PROGRAM, "-F", "-c", self.configuration], None

    def _answers(self):
        try:
            return bool(ssl.get_server_certificate(("127.0.0.1", self.port), timeout=5))
        except OSError:
            return False


def _group(owner):
    return grp.getgrgid(owner.pw_gid).gr_name


if __name__ == "__main__":  # to look at it with a mail program
    with Dovecot(Path(sys.argv[1])) as server:
        print(server.url)
        server.process.wait()
