"""Tokens of the REST door."""

from typing import Annotated
from uuid import UUID

import typer

from tongzhou.cli.main import Json, app, boot, say, show, tell

api = typer.Typer(no_args_is_help=True, help="Tokens for the REST door.")
app.add_typer(api, name="api")
Phone = Annotated[str, typer.Option("--phone", help="The member's phone, or imported key.")]


@api.command("token")
def token(phone: Phone, as_json: Json = False) -> None:
    """A bearer token for one member's own carts and orders, valid thirty days; signing out everywhere ends it.

    Example: tongzhou api token --phone 13900000100
    """
    boot()
    from tongzhou.api import tokens

    given = tokens.issue(_member(phone))
    if as_json:
        say({"token": given, "days": tokens.LIFE.days})
    else:
        show(given)
        tell(f"Valid {tokens.LIFE.days} days. Send it as: Authorization: Bearer …")


@api.command("revoke")
def revoke(phone: Phone) -> None:
    """End every token and every session of a member.

    Example: tongzhou api revoke --phone 13900000100
    """
    boot()
    from tongzhou.kit import clock
    from tongzhou.kit.actor import Actor
    from tongzhou.people import commands

    commands.sign_out_everywhere(member_id=_member(phone), by=Actor("operator", None, "cli"), at=clock.now())
    tell("Every token and session of this member has ended.")


def _member(phone: str) -> UUID:
    from tongzhou.kit.refusals import not_found
    from tongzhou.people import queries

    found = queries.by_phone(phone)
    if found is None:
        raise not_found("There is no member with this phone.", code="member_not_found")
    return found.id
