"""Who belongs to the project: for owners."""

from fastapi import APIRouter, Request

from budgetal.web.access import OfOwner
from budgetal.web.accounts import Account, Invite
from budgetal.web.people_records import (
    Invited,
    InviteInfo,
    InviteRequest,
    People,
    PersonInfo,
    PersonRequest,
    RoleRequest,
    WithdrawalRequest,
)
from budgetal.web.roles import role_named
from budgetal.web.site import OfSite, Site
from budgetal.web.standing import n_answers_of

router = APIRouter(prefix="/api/v1", tags=["people"])


@router.get("/people")
def people(site: OfSite, _session: OfOwner) -> People:
    """Accounts, revoked ones too, and invites that were not used yet."""
    return _people(site)


@router.post("/invites")
def invite(request: InviteRequest, http: Request, site: OfSite, session: OfOwner) -> Invited:
    """Make a link that lets somebody make an account, once, within a week. It is told only here."""
    code = site.members.invite(role_named(request.role), request.name, session.annotator)
    return Invited(link=f"{http.scope['state']['origin']}/join?code={code}", people=_people(site))


@router.post("/withdrawals")
def withdraw(request: WithdrawalRequest, site: OfSite, _session: OfOwner) -> People:
    """Make an invite useless that was not used yet."""
    site.members.withdraw(request.invite)
    return _people(site)


@router.post("/roles")
def set_role(request: RoleRequest, site: OfSite, _session: OfOwner) -> People:
    """Give an account another role, from its next request on."""
    site.members.set_role(request.name, role_named(request.role))
    return _people(site)


@router.post("/revocations")
def revoke(request: PersonRequest, site: OfSite, _session: OfOwner) -> People:
    """End an account, its sessions and its tokens. The answers stay."""
    site.members.revoke(request.name)
    return _people(site)


def _people(site: Site) -> People:
    n_answers = site.desk.look(n_answers_of)
    return People(
        people=[_person(account, n_answers.get(account.name, 0)) for account in site.members.accounts()],
        invites=[_invite(one) for one in site.members.open_invites()],
    )


def _person(account: Account, n_answers: int) -> PersonInfo:
    return PersonInfo(
        name=account.name,
        role=account.role.word,
        is_revoked=account.is_revoked,
        made_unix_s=account.made_unix_s,
        made_by=account.made_by,
        n_answers=n_answers,
    )


def _invite(invite: Invite) -> InviteInfo:
    return InviteInfo(
        invite=invite.id,
        role=invite.role.word,
        name=invite.name,
        made_by=invite.made_by,
        ends_unix_s=invite.ends_unix_s,
    )
