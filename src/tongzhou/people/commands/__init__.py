"""The verbs of people."""

from tongzhou.people.commands.accounts import (
    give_consents,
    register_member,
    register_members,
    rename,
    request_code,
    set_language,
    set_name_consent,
    sign_in,
    sign_out_everywhere,
)
from tongzhou.people.commands.addresses import delete_address, save_address
from tongzhou.people.commands.bindings import bind, bind_many, confirm_rebind, decline_rebind, propose_rebind
from tongzhou.people.commands.consents import set_purpose
from tongzhou.people.commands.roles import create_first_owner, create_operator, grant_role, revoke_role

__all__ = [
    "bind",
    "bind_many",
    "confirm_rebind",
    "create_first_owner",
    "create_operator",
    "decline_rebind",
    "delete_address",
    "give_consents",
    "grant_role",
    "propose_rebind",
    "register_member",
    "register_members",
    "rename",
    "request_code",
    "revoke_role",
    "save_address",
    "set_language",
    "set_name_consent",
    "set_purpose",
    "sign_in",
    "sign_out_everywhere",
]
