"""Sends one message to one channel, or says in our own errors why not."""

import smtplib
import ssl
from email.message import EmailMessage

import requests

from services.errors import BackendError, BackendRejected, BackendUnreachable, ConfigurationError
from services.notifications.channels import Channel, ChannelKind, Mail, channels
from services.notifications.messages import Message, payload

SYSTEM = "notifications"
TIMEOUT_SECONDS = 10.0
_HINT = "Check the channel in pilothouse_channels.toml."


def send(name: str, message: Message) -> None:
    """Send it. Raises ConfigurationError for an unknown channel, BackendError when the channel does not take it."""
    known = channels()
    channel = known.channels.get(name)
    if channel is None:
        raise ConfigurationError(f"There is no notification channel '{name}'.", hint=_HINT)
    if channel.kind is ChannelKind.EMAIL and known.mail:
        _send_mail(known.mail, channel, name, message)
    else:
        _post(channel, name, message)


def _post(channel: Channel, name: str, message: Message) -> None:
    url = channel.url.get_secret_value() if channel.url else ""
    try:
        answer = requests.post(url, json=payload(channel.kind, message), timeout=TIMEOUT_SECONDS, allow_redirects=False)
    except requests.RequestException as error:
        raise BackendUnreachable(  # the error's own text holds the url, which is a secret
            f"Channel '{name}' could not be reached ({type(error).__name__}).", system=SYSTEM, hint=_HINT
        ) from None
    if not answer.ok or answer.is_redirect:
        raise BackendRejected(
            f"Channel '{name}' refused the message with HTTP {answer.status_code}.",
            system=SYSTEM,
            status=answer.status_code,
            detail=answer.text[:200],
            hint=_HINT,
        )


def _send_mail(mail: Mail, channel: Channel, name: str, message: Message) -> None:
    letter = EmailMessage()
    letter["Subject"] = " ".join(f"[Pilothouse] {message.title}".split())
    letter["From"], letter["To"] = mail.sender, ", ".join(channel.to)
    letter.set_content(f"{message.text}\n\n{message.link}\n")
    try:
        with smtplib.SMTP(mail.host, mail.port, timeout=TIMEOUT_SECONDS) as server:
            if mail.starttls:
                server.starttls(context=ssl.create_default_context())
            if mail.user and mail.password:
                server.login(mail.user, mail.password.get_secret_value())
            server.send_message(letter)
    except (OSError, smtplib.SMTPException) as error:
        raise BackendError(
            f"Channel '{name}' could not send mail through {mail.host} ({type(error).__name__}).",
            system=SYSTEM,
            hint=_HINT,
        ) from error
