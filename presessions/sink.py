"""An SMTP server that keeps what it is given and passes nothing on. For `make run`: mail really goes by SMTP.
Wiring, for development only; imports nothing of ours.

    python -m presessions.sink FOLDER PORT

Each mail becomes two files in FOLDER, both written before it is accepted: the bytes as they came (.eml), and the same
for people (.txt), with its links in one piece. A line of journal.jsonl tells what was accepted and when.
"""

import asyncio
import hashlib
import json
import re
import sys
from datetime import UTC, datetime
from email import message_from_bytes, policy
from pathlib import Path

from aiosmtpd.smtp import SMTP


class Keep:
    """What aiosmtpd does with a mail: keep it."""

    def __init__(self, folder):
        self.folder = folder
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    async def handle_DATA(self, server, session, envelope):
        now = datetime.now(UTC)
        name = f"{now:%Y%m%d-%H%M%S-%f}-{re.sub(r'[^A-Za-z0-9@.+-]', '_', envelope.rcpt_tos[0])[:80]}"
        mail = message_from_bytes(envelope.content, policy=policy.default)
        (self.folder / f"{name}.eml").write_bytes(envelope.content)
        (self.folder / f"{name}.txt").write_text(readable(mail))
        accepted = {
            "at": now.isoformat(),
            "file": f"{name}.eml",
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "message_id": mail["Message-ID"],
            "sha256": hashlib.sha256(envelope.content).hexdigest(),
        }
        with (self.folder / "journal.jsonl").open("a") as journal:
            journal.write(json.dumps(accepted) + "\n")
        return "250 Kept"


def readable(mail):
    head = "".join(f"{name}: {mail[name]}\n" for name in ("Date", "From", "To", "Subject") if mail[name])
    body = mail.get_body(("plain", "html"))
    return f"{head}\n{body.get_content() if body else ''}"


async def serve(folder, port):
    keep = Keep(folder)
    server = await asyncio.get_running_loop().create_server(
        lambda: SMTP(keep, hostname="localhost", enable_SMTPUTF8=True), "127.0.0.1", port
    )
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), int(sys.argv[2])))
