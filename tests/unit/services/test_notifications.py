"""Who is told of which run, in which form, and that it happens once; channels are real sockets."""

import json
import socketserver
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from models.notification import Delivery, Occasion
from models.run import Run
from models.run_state import RunState
from models.types import now
from services import notifications
from services.database import engine, migrate, session
from services.errors import BackendError, BackendRejected, BackendUnreachable, ConfigurationError, InvalidInput
from services.notifications.channels import ChannelKind
from services.notifications.delivering import decide, deliver, occasion_of
from services.notifications.messages import message_of, payload
from services.settings import settings
from tests.pages import seeded

SECRET_PATH = "/hook/very-secret"


class Hook(HTTPServer):
    """A webhook that keeps what it was told, and refuses as often as asked to."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), HookHandler)
        self.told: list[dict[str, Any]] = []
        self.refusals = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}{SECRET_PATH}"


class HookHandler(BaseHTTPRequestHandler):
    server: Hook

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        refused = self.server.refusals > 0
        self.server.refusals -= refused
        if not refused:
            self.server.told.append(body)
        self.send_response(500 if refused else 200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


class MailServer(socketserver.TCPServer):
    """As much of SMTP (RFC 5321) as one letter needs."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), MailHandler)
        self.letters: list[str] = []


class MailHandler(socketserver.StreamRequestHandler):
    server: MailServer

    def handle(self) -> None:
        self._say("220 ready")
        while line := self.rfile.readline().decode().strip():
            verb = line.split(" ")[0].upper()
            self._say({"DATA": "354 go on", "QUIT": "221 bye"}.get(verb, "250 fine"))
            if verb == "DATA":
                self.server.letters.append(self._letter())
                self._say("250 taken")
            if verb == "QUIT":
                return

    def _letter(self) -> str:
        lines = []
        while (line := self.rfile.readline().decode().rstrip("\r\n")) != ".":
            lines.append(line)
        return "\n".join(lines)

    def _say(self, answer: str) -> None:
        self.wfile.write(f"{answer}\r\n".encode())


def served(server: Any) -> Iterator[Any]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def hook() -> Iterator[Hook]:
    yield from served(Hook())


@pytest.fixture
def mail_server() -> Iterator[MailServer]:
    yield from served(MailServer())


@pytest.fixture(autouse=True)
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("PILOTHOUSE_DATA", str(tmp_path))
    settings.cache_clear()
    engine.cache_clear()
    migrate()
    yield
    engine().dispose()
    settings.cache_clear()
    engine.cache_clear()


def write_channels(text: str) -> None:
    folder = settings().data / "secrets"
    folder.mkdir(exist_ok=True)
    (folder / "pilothouse_channels.toml").write_text(text)


def slack(hook: Hook) -> None:
    write_channels(f'[channels.team]\nkind = "slack"\nurl = "{hook.url}"\n')


def rule(**wanted: bool) -> None:
    notifications.save_rule("shop", "team", **{"on_failure": True, "on_recovery": True, "on_slow": True, **wanted})


def failed(**more: Any) -> Run:
    return seeded.run("shop", state=RunState.FAILED, message="model <a> & b failed", **more)


def collect(times: int = 3) -> None:
    for _ in range(times):
        decide()
        deliver(threading.Event())


def test_a_failure_is_told_once(hook: Hook) -> None:
    slack(hook)
    rule()
    made = failed(minutes_ago=5)
    collect()
    (told,) = hook.told
    text = told["blocks"][0]["text"]["text"]
    assert f"/run?run_id={made.id}|shop failed" in text
    assert "model &lt;a&gt; &amp; b failed" in text
    (delivery,) = notifications.deliveries_of("shop")
    assert delivery.sent_at is not None


def test_a_failure_of_several_nodes_names_them(hook: Hook) -> None:
    slack(hook)
    rule()
    seeded.filled(failed(minutes_ago=5), statuses=seeded.HALF_FAILED)
    collect()
    (told,) = hook.told
    assert "• model fct_calls\n• test not_null_stg_calls_id" in told["blocks"][0]["text"]["text"]


def test_only_wanted_occasions_of_the_projects_own_runs_are_told(hook: Hook) -> None:
    slack(hook)
    rule(on_failure=False)
    failed()
    seeded.run("harbour", state=RunState.FAILED)
    seeded.run("shop", state=RunState.CANCELLED)
    collect()
    assert hook.told == []


def test_a_run_that_lives_or_is_not_complete_is_not_told_yet(hook: Hook) -> None:
    slack(hook)
    rule()
    made = failed()
    with session() as opened:
        opened.get_one(Run, made.id).collected = False
    collect()
    assert hook.told == []
    with session() as opened:
        opened.get_one(Run, made.id).collected = True
    collect()
    assert len(hook.told) == 1


def test_runs_of_long_ago_are_nobodys_news(hook: Hook) -> None:
    slack(hook)
    rule()
    failed(minutes_ago=60 * 24 * 2)
    collect()
    assert hook.told == []


def test_failure_recovery_and_slowness_are_told_apart() -> None:
    usual = [seeded.run("shop", seconds=10, minutes_ago=100 - number) for number in range(5)]
    assert occasion_of(usual[-1]) is None
    assert occasion_of(seeded.run("shop", seconds=60, minutes_ago=50)) is Occasion.SLOW
    assert occasion_of(failed(minutes_ago=40)) is Occasion.FAILURE
    seeded.run("shop", state=RunState.CANCELLED, minutes_ago=35)
    assert occasion_of(seeded.run("shop", seconds=10, minutes_ago=30)) is Occasion.RECOVERY
    assert occasion_of(seeded.run("shop", seconds=10, minutes_ago=20)) is None


def test_a_channel_that_refuses_is_tried_again_and_given_up_in_the_end(hook: Hook) -> None:
    slack(hook)
    rule()
    failed()
    hook.refusals = 1
    collect(1)
    (delivery,) = notifications.deliveries_of("shop")
    assert (delivery.attempts, delivery.sent_at) == (1, None)
    assert "HTTP 500" in (delivery.problem or "")
    collect(1)
    assert hook.told == [], "not before its time"
    _make_due(delivery)
    collect(1)
    assert len(hook.told) == 1

    failed()
    hook.refusals = 100
    for _ in range(10):
        collect(1)
        _make_due(notifications.deliveries_of("shop")[0])
    given_up = notifications.deliveries_of("shop")[0]
    assert (given_up.attempts, given_up.due_at) == (6, None)


def _make_due(delivery: Delivery) -> None:
    with session() as opened:
        row = opened.get_one(Delivery, delivery.id)
        row.due_at = now() if row.due_at else None


def test_mail_is_sent_as_a_letter_whose_subject_cannot_be_injected(mail_server: MailServer) -> None:
    port = mail_server.server_address[1]
    write_channels(
        '[channels.team]\nkind = "email"\nto = ["a@example.com", "b@example.com"]\n'
        f'[mail]\nhost = "127.0.0.1"\nport = {port}\nsender = "pilothouse@example.com"\nstarttls = false\n'
    )
    rule()
    failed()
    collect()
    (letter,) = mail_server.letters
    assert "Subject: [Pilothouse] shop failed" in letter
    assert "To: a@example.com, b@example.com" in letter
    assert "/run?run_id=" in letter


def test_teams_and_programs_get_forms_of_their_own() -> None:
    message = message_of(failed(), Occasion.FAILURE)
    card = payload(ChannelKind.TEAMS, message)["attachments"][0]["content"]
    assert (card["type"], card["body"][0]["text"]) == ("AdaptiveCard", "shop failed")
    assert card["actions"][0]["url"] == message.link
    assert payload(ChannelKind.WEBHOOK, message)["occasion"] == "failure"


def test_a_test_message_says_so(hook: Hook) -> None:
    slack(hook)
    notifications.send_test("shop", "team", by="anna")
    assert "Test message for shop" in hook.told[0]["text"]


def test_what_goes_wrong_never_tells_the_address(hook: Hook) -> None:
    slack(hook)
    hook.refusals = 1
    with pytest.raises(BackendRejected) as refused:
        notifications.send_test("shop", "team", by="anna")
    write_channels(f'[channels.team]\nkind = "teams"\nurl = "http://127.0.0.1:9{SECRET_PATH}"\n')
    with pytest.raises(BackendUnreachable) as unreachable:
        notifications.send_test("shop", "team", by="anna")
    write_channels(
        '[channels.team]\nkind = "email"\nto = ["a@example.com"]\n'
        '[mail]\nhost = "127.0.0.1"\nport = 9\nsender = "p@example.com"\npassword = "hush"\nuser = "u"\n'
    )
    with pytest.raises(BackendError) as no_mail:
        notifications.send_test("shop", "team", by="anna")
    for error in (refused, unreachable, no_mail):
        assert "secret" not in f"{error.value}{error.value.__cause__}"
        assert "hush" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("not toml", "is not TOML"),
        ('[channels.team]\nkind = "pigeon"\n', "channels.team.kind"),
        ('[channels.team]\nkind = "slack"\nurl = "ftp://x/secret"\n', "begins with https"),
        ('[channels.team]\nkind = "email"\nto = ["a@example.com"]\n', "mail"),
    ],
)
def test_a_wrong_channels_file_says_where(text: str, told: str) -> None:
    write_channels(text)
    with pytest.raises(ConfigurationError, match=told) as error:
        notifications.channels()
    assert "secret" not in str(error.value)


def test_a_rule_needs_a_channel_that_exists() -> None:
    with pytest.raises(InvalidInput):
        rule()
