"""Where messages can go: the file `<data>/secrets/pilothouse_channels.toml`, because a webhook's address is a secret.

[channels.data_team]
kind = "slack"                        # slack, teams, webhook or email
url = "https://hooks.slack.example/…"

[channels.on_call]
kind = "email"
to = ["on-call@example.com"]

[mail]                                # for email channels
host = "smtp.example.com"
sender = "pilothouse@example.com"
user = "pilothouse"
password = "…"
"""

import tomllib
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator

from services.errors import ConfigurationError
from services.settings import settings

FILE = "pilothouse_channels.toml"


class ChannelKind(StrEnum):
    """The form in which a channel takes messages."""

    SLACK = "slack"
    TEAMS = "teams"
    WEBHOOK = "webhook"
    EMAIL = "email"


class Channel(BaseModel):
    """One place where messages can go."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: ChannelKind
    url: SecretStr | None = Field(default=None, description="For all but email.")
    to: list[str] = Field(default_factory=list, description="Addresses, for email.")

    @model_validator(mode="after")
    def _has_an_address(self) -> "Channel":
        if self.kind is ChannelKind.EMAIL and not self.to:
            raise ValueError("an email channel needs `to`")
        if self.kind is not ChannelKind.EMAIL:
            url = self.url.get_secret_value() if self.url else ""
            if not url.startswith(("https://", "http://")):
                raise ValueError(f"a {self.kind} channel needs a `url` that begins with https:// or http://")
        return self


class Mail(BaseModel):
    """The mail server that email channels use."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str
    port: int = Field(default=587, ge=1, le=65535)
    sender: str
    user: str | None = None
    password: SecretStr | None = None
    starttls: bool = Field(default=True, description="False only for a server on this machine.")


class Channels(BaseModel):
    """The whole file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    channels: dict[str, Channel] = Field(default_factory=dict)
    mail: Mail | None = None

    @model_validator(mode="after")
    def _email_has_a_server(self) -> "Channels":
        if self.mail is None and any(channel.kind is ChannelKind.EMAIL for channel in self.channels.values()):
            raise ValueError("email channels need a [mail] section")
        return self


def channels() -> Channels:
    """The channels as the file says now; none without a file. Raises ConfigurationError, never with a secret in it."""
    path = settings().data / "secrets" / FILE
    try:
        return Channels.model_validate(tomllib.loads(path.read_text()))
    except FileNotFoundError:
        return Channels()
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{FILE} is not TOML: {error}.", hint=f"Mend {path}.") from error
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise ConfigurationError(
            f"{FILE} is wrong at {where}: {first['msg'].removeprefix('Value error, ')}.", hint=f"Mend {path}."
        ) from None
