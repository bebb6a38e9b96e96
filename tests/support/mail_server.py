"""A mail server on a loopback port that keeps what it takes: real SMTP, one client at a time."""

import contextlib
import socketserver
import ssl
import threading
from email import message_from_bytes, policy

LOGIN = b"AUTH PLAIN"


class Mailbox:
    """Takes mail between ``with``; ``refusing`` recipients are answered 550.

    ``messages`` are (sender, recipients, message); ``commands`` every line that a client sent.
    With a ``certificate`` (PEM file of certificate and key) it offers STARTTLS.
    """

    def __init__(self, *, refusing=(), certificate=None):
        self.messages, self.commands, self.refusing = [], [], set(refusing)
        self.context = None
        if certificate is not None:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(certificate)
        mailbox = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self):
                with contextlib.suppress(OSError):  # a client that refuses the certificate
                    Conversation(mailbox, self.request).run()

        self.server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


class Conversation:
    def __init__(self, mailbox, sock):
        self.mailbox, self.sock, self.secure = mailbox, sock, False
        self.file = sock.makefile("rb")
        self.sender, self.recipients = "", []

    def say(self, text):
        self.sock.sendall(f"{text}\r\n".encode())

    def run(self):
        try:
            self.talk()
        finally:
            self.file.close()
            self.sock.close()

    def talk(self):
        self.say("220 mailbox ESMTP")
        while line := self.file.readline():
            self.mailbox.commands.append(line.strip())
            word = line.strip().upper()
            if word == b"QUIT":
                self.say("221 bye")
                return
            self.answer(word, line.strip().decode())

    def answer(self, word, line):
        if word.startswith(b"EHLO"):
            offers = ["mailbox", "AUTH PLAIN", "8BITMIME"]  # the first line is the greeting
            if self.mailbox.context and not self.secure:
                offers.append("STARTTLS")
            for offer in offers[:-1]:
                self.say(f"250-{offer}")
            self.say(f"250 {offers[-1]}")
        elif word == b"STARTTLS" and self.mailbox.context:
            self.say("220 go ahead")
            self.sock = self.mailbox.context.wrap_socket(self.sock, server_side=True)
            self.file, self.secure = self.sock.makefile("rb"), True
        elif word.startswith(b"MAIL FROM"):
            self.sender, self.recipients = line[10:].split()[0].strip("<>"), []
            self.say("250 ok")
        elif word.startswith(b"RCPT TO"):
            address = line[8:].split()[0].strip("<>")
            if address in self.mailbox.refusing:
                self.say("550 no such mailbox")
            else:
                self.recipients.append(address)
                self.say("250 ok")
        elif word == b"DATA":
            self.data()
        else:
            self.say("235 welcome" if word.startswith(LOGIN) else "250 ok")

    def data(self):
        self.say("354 go on")
        lines = []
        while (line := self.file.readline()) not in (b".\r\n", b""):
            lines.append(line[1:] if line.startswith(b"..") else line)
        message = message_from_bytes(b"".join(lines), policy=policy.default)
        self.mailbox.messages.append((self.sender, tuple(self.recipients), message))
        self.say("250 taken")
