"""`dateline login`: accounts of this machine."""

import asyncio
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import segno
import typer

from connectors.telegram import TelegramHost
from connectors.telegram.api.login import LoginProblem, log_in
from connectors.telegram.api.session import SessionProblem, check_place, held, write_login
from pipeline.cli.problems import Mistake
from pipeline.config import load

login_app = typer.Typer(no_args_is_help=True, help="Log in where a source needs an account.")

File = Annotated[Path, typer.Option("-c", "--config", help="The YAML file, with api_id and api_hash.")]
Session = Annotated[
    Path | None, typer.Option("--session", help="Where to write the login; by default as the config says.")
]
Qr = Annotated[bool, typer.Option("--qr", help="Show a QR code to scan, instead of asking for a number.")]


@login_app.callback()
def login() -> None:
    """Log in where a source needs an account."""


@login_app.command()
def telegram(config: File, session: Session = None, *, qr: Qr = False) -> None:
    """Log a Telegram account in, and write the session that sources `via: api` use on this machine.

    Whoever has the file is the account: it gets mode 0600 and stays on this machine. Another machine gets a
    login of its own, also a standby: Telegram ends a login that two use.
    """
    host = load(config).telegram
    path = where(host, session)
    talk = Terminal()
    try:
        check_place(path)
        with ExitStack() as stack:
            if path.exists():
                stack.enter_context(held(path))  # nobody uses it
                typer.confirm(f"{path} exists. Replace that login by a new one?", abort=True)
            login = asyncio.run(log_in(host, talk, qr=qr))
            write_login(path, login)
    except (LoginProblem, SessionProblem) as problem:
        raise Mistake(str(problem)) from problem
    typer.echo(f"Logged in as account {login.user}; {path} is its session, for this machine alone.")
    if path.absolute() not in [each.absolute() for each in host.sessions]:
        typer.echo(f"Name it in {config}, as one of telegram.sessions: {path.absolute()}")


def where(host: TelegramHost, session: Path | None) -> Path:
    """Give the file to write: the one that is asked for, else the one that is missing, else the only one.

    Raises:
        Mistake: that is none, or more than one.
    """
    if session is not None:
        return session
    candidates = [path for path in host.sessions if not path.exists()] or list(host.sessions)
    if not candidates:
        raise Mistake("telegram.sessions names no file; say where to write the login with --session FILE")
    if len(candidates) > 1:
        listed = ", ".join(map(str, candidates))
        raise Mistake(f"telegram.sessions names several files; choose one with --session FILE: {listed}")
    return candidates[0]


class Terminal:
    """Asks whoever sits at the terminal."""

    def phone(self) -> str:
        """Ask for the phone number."""
        return str(typer.prompt("Phone number, with country code"))

    def code(self, where: str) -> str:
        """Ask for the code that Telegram has sent."""
        return str(typer.prompt(f"The code that came {where}"))

    def password(self, hint: str) -> str:
        """Ask for the password, which is not shown."""
        return str(typer.prompt(f"Password{f' (hint: {hint})' if hint else ''}", hide_input=True))

    def show(self, url: str) -> None:
        """Show a QR code."""
        segno.make(url).terminal(compact=True)
        self.tell(
            "On your phone: Telegram, Settings, Devices, Link Desktop Device. A new code comes every 30 s."
        )

    def tell(self, text: str) -> None:
        """Say something."""
        typer.echo(text)
