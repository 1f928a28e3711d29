"""Accounts: from the invite to the end of the account, who may do that, and what strangers learn."""

import threading
import time

import pytest
from argon2 import PasswordHasher

from budgetal.errors import ConfigError, DataError, ProjectError
from budgetal.web import passwords
from budgetal.web.accounts import INVITE_S
from budgetal.web.members import InviteError, Members
from budgetal.web.names import alike
from budgetal.web.roles import Role

ORIGIN = "http://127.0.0.1:8000"
PASSWORD = "four plain words here"


@pytest.fixture(autouse=True)
def fast_hashes(monkeypatch):
    """Argon2 with next to no work; its real price has a test of its own."""
    monkeypatch.setattr(passwords, "_HASHER", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    passwords._nobodys.cache_clear()
    yield
    passwords._nobodys.cache_clear()


@pytest.fixture
def members(sessions):
    return sessions.members


@pytest.fixture
def olga(members):
    """An owner with an account."""
    members.join(members.invite(Role.OWNER, "olga", "the command line"), "", PASSWORD)
    return members.account("olga")


@pytest.fixture
def page(stranger):
    """A browser that nobody has signed in with yet."""
    stranger.headers.update({"origin": ORIGIN, "sec-fetch-site": "same-origin"})
    return stranger


def log_in(page, name, password=PASSWORD):
    return page.post("/login", data={"name": name, "password": password})


def ask(page, path, **body):
    return page.post(f"/api/v1/{path}", json=body)


def test_an_invite_becomes_an_account_once_and_answers_carry_its_name(page, olga, project):
    assert log_in(page, "olga").status_code == 303
    link = ask(page, "invites", role="annotator").json()["link"]
    page.cookies.clear()
    path = link.removeprefix(ORIGIN)
    assert "You are invited as annotator" in page.get(path).text
    code = path.partition("code=")[2]
    joined = page.post("/join", data={"code": code, "name": " Änne ", "password": PASSWORD})
    assert (joined.status_code, joined.headers["location"]) == (303, "/")
    assert page.get("/api/v1/project").json()["annotator"] == "Änne"
    item = ask(page, "claims", client="c").json()["items"][0]
    answer = {"client": "c", **item, "label": "red", "key": "k"}
    # A name of the client's choice is refused, not taken.
    assert ask(page, "labels", **answer, annotator="olga").status_code == 422
    assert ask(page, "labels", **answer).status_code == 200
    assert project.state.labels[item["sample_id"]].annotator == "Änne"
    assert page.post("/join", data={"code": code, "name": "eve", "password": PASSWORD}).status_code == 403
    page.cookies.clear()
    assert log_in(page, "ÄNNE").status_code == 303
    assert page.get("/api/v1/project").json()["annotator"] == "Änne"


def test_looking_at_an_invite_does_not_use_it_up_and_says_nothing_to_others(page, members):
    code = members.invite(Role.REVIEWER, "", "olga")
    for _ in range(3):
        assert "invited as reviewer" in page.get(f"/join?code={code}").text
    assert "was used already" in page.get("/join?code=guess").text
    assert code not in str(members._logbook.kept("invite"))


def test_an_invite_ends_after_a_week_or_when_it_is_withdrawn(project):
    now = [1e9]
    members = Members(project.logbook, lambda: now[0])
    late, withdrawn = members.invite(Role.ANNOTATOR, "", "o"), members.invite(Role.ANNOTATOR, "", "o")
    members.withdraw(next(one.id for one in members.open_invites() if one == members.invited(withdrawn)))
    assert members.invited(withdrawn) is None
    assert members.invited(late) is not None
    now[0] += INVITE_S
    assert members.open_invites() == []
    for code in (late, withdrawn):
        with pytest.raises(InviteError, match="ask for another"):
            members.join(code, "anna", PASSWORD)


def test_an_invite_that_two_open_at_once_makes_one_account(members):
    code, outcomes = members.invite(Role.ANNOTATOR, "", "o"), []

    def join(name):
        try:
            outcomes.append(members.join(code, name, PASSWORD).name)
        except InviteError:
            outcomes.append(None)

    threads = [threading.Thread(target=join, args=(f"twin {i}",)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(str, outcomes)).count("None") == 3
    assert len(members.accounts()) == 1


@pytest.mark.parametrize("name", ["olga", "OLGA", "ｏｌｇａ", " olga "])
def test_a_name_that_looks_like_another_is_taken(members, olga, name):
    with pytest.raises(ProjectError, match="Somebody has the name 'olga'"):
        members.join(members.invite(Role.ANNOTATOR, "", "o"), name, PASSWORD)


def test_a_name_under_which_answers_were_given_is_for_whom_an_owner_names(members):
    with pytest.raises(ProjectError, match="Answers were given under the name 'Human'"):
        members.join(members.invite(Role.ANNOTATOR, "", "o"), "Human", PASSWORD, ["human"])
    members.join(members.invite(Role.ANNOTATOR, "human", "o"), "", PASSWORD, ["human"])


@pytest.mark.parametrize("password", ["", "short", "annaannaanna", "aaaaaaaaaaaaaa", "x" * 201])
def test_a_poor_password_is_refused_and_the_invite_stays(page, members, password):
    code = members.invite(Role.ANNOTATOR, "", "o")
    reply = page.post("/join", data={"code": code, "name": "anna", "password": password})
    assert reply.status_code == 400
    assert 'value="anna"' in reply.text
    assert members.invited(code) is not None


@pytest.mark.parametrize("name", ["", "a/b", "x" * 65, "a\nb", "\x00"])
def test_a_name_that_cannot_be_kept_makes_no_account(page, members, name):
    code = members.invite(Role.ANNOTATOR, "", "o")
    assert page.post("/join", data={"code": code, "name": name, "password": PASSWORD}).status_code == 400
    assert members.accounts() == []


def test_wrong_name_and_wrong_password_are_one_answer(page, olga):
    nobody, wrong = log_in(page, "nobody"), log_in(page, "olga", "not her password")
    assert nobody.status_code == wrong.status_code == 403
    assert nobody.text.replace("nobody", "olga") == wrong.text


def test_a_log_in_takes_as_long_for_a_name_that_does_not_exist(monkeypatch):
    monkeypatch.undo()
    passwords._nobodys.cache_clear()
    hashed = passwords.hash_password(PASSWORD)
    passwords.is_right("warm", None)

    def cpu_s(*arguments):
        began = time.process_time()
        assert not passwords.is_right(*arguments)
        return time.process_time() - began

    known = min(cpu_s("wrong password", hashed) for _ in range(5))
    unknown = min(cpu_s("wrong password", None) for _ in range(5))
    assert 0.5 < known / unknown < 2
    assert known > 0.02
    assert passwords.is_right(PASSWORD, hashed)
    assert hashed.startswith("$argon2id$v=19$m=65536,t=3,p=4$")


def test_log_in_is_slowed_down_by_name_and_let_go_when_it_succeeds(page, olga):
    for _ in range(4):
        assert log_in(page, "olga", "wrong").status_code == 403
    assert log_in(page, "olga").status_code == 303
    page.cookies.clear()
    for _ in range(5):
        assert log_in(page, "olga", "wrong").status_code == 403
    refused = log_in(page, "Olga")
    assert refused.status_code == 429
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert log_in(page, "somebody else").status_code == 403


def test_log_in_is_slowed_down_by_address(page, olga):
    statuses = [log_in(page, f"guess {i}").status_code for i in range(62)]
    assert statuses == [403] * 60 + [429] * 2


def test_revoking_ends_cookies_tokens_links_and_the_password_at_once(page, sessions, members, olga):
    members.join(members.invite(Role.REVIEWER, "rita", "olga"), "", PASSWORD)
    token = sessions.token("rita", Role.OWNER)
    link = sessions.link(ORIGIN, "rita").partition("code=")[2]
    log_in(page, "rita")
    assert page.get("/api/v1/project").json()["role"] == "reviewer"
    # A token of hers gives no more than her account does.
    assert sessions.of(None, token).role is Role.REVIEWER
    members.revoke("rita")
    assert page.get("/api/v1/project").status_code == 401
    assert sessions.of(None, token) is None
    assert sessions.of(sessions.use_code(link), None) is None
    page.cookies.clear()
    assert log_in(page, "rita").status_code == 403
    for make in (sessions.token, sessions.cookie):
        assert sessions.of(make("rita"), make("rita")) is None
    with pytest.raises(ProjectError, match="was revoked"):
        members.invite(Role.ANNOTATOR, "Rita", "olga")


def test_a_revocation_in_another_process_is_noticed_within_a_second(project, members, olga):
    members.join(members.invite(Role.ANNOTATOR, "ben", "olga"), "", PASSWORD)
    assert not members.account("ben").is_revoked
    Members(project.logbook).revoke("ben")
    deadline = time.monotonic() + 3
    while not members.account("ben").is_revoked:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_another_role_holds_from_the_next_request_on(page, members, olga):
    members.join(members.invite(Role.ANNOTATOR, "ben", "olga"), "", PASSWORD)
    log_in(page, "ben")
    assert page.get("/api/v1/people").status_code == 403
    members.set_role("ben", Role.OWNER)
    assert page.get("/api/v1/people").status_code == 200
    members.set_role("ben", Role.ANNOTATOR)
    assert page.get("/api/v1/people").status_code == 403


def test_the_last_owner_stays(page, members, olga):
    log_in(page, "olga")
    for path, body in (("roles", {"name": "olga", "role": "annotator"}), ("revocations", {"name": "olga"})):
        reply = ask(page, path, **body)
        assert (reply.status_code, reply.json()["error"]) == (409, "conflict")
        assert "last owner" in reply.json()["message"]
    members.join(members.invite(Role.OWNER, "otto", "olga"), "", PASSWORD)
    assert ask(page, "revocations", name="olga").status_code == 200
    assert page.get("/api/v1/project").status_code == 401


def test_a_new_password_ends_earlier_sessions_and_keeps_the_role(page, members, olga):
    log_in(page, "olga")
    link = ask(page, "invites", name="olga").json()["link"]
    code = link.partition("code=")[2]
    assert "Choose a new password" in page.get(f"/join?code={code}").text
    old = dict(page.cookies)
    page.cookies.clear()
    assert page.post("/join", data={"code": code, "name": "eve", "password": "entirely other words"}).status_code == 303
    assert (
        page.get("/api/v1/project").json() | {"annotator": "olga", "role": "owner"}
        == page.get("/api/v1/project").json()
    )
    page.cookies.clear()
    page.cookies.update(old)
    assert page.get("/api/v1/project").status_code == 401
    assert log_in(page, "olga").status_code == 403


def test_owners_see_people_and_invites_but_no_password(page, members, olga):
    log_in(page, "olga")
    made = ask(page, "invites", role="reviewer", name="rita").json()
    (invite,) = made["people"]["invites"]
    assert (invite["role"], invite["name"], invite["made_by"]) == ("reviewer", "rita", "olga")
    text = page.get("/api/v1/people").text
    assert "argon2" not in text
    assert made["link"].partition("code=")[2] not in text
    assert ask(page, "withdrawals", invite=invite["invite"]).json()["invites"] == []
    assert ask(page, "withdrawals", invite=invite["invite"]).status_code == 404
    assert ask(page, "revocations", name="nobody").status_code == 404


def test_leaving_forgets_the_cookie(page, olga):
    log_in(page, "olga")
    assert page.get("/login").headers["location"] == "/"
    assert page.post("/logout").headers["location"] == "/login"
    assert page.get("/api/v1/project").status_code == 401
    assert page.get("/annotate").headers["location"] == "/login"


def test_another_site_cannot_log_anybody_in_or_out(page, members, olga):
    code = members.invite(Role.ANNOTATOR, "", "o")
    headers = {"origin": "http://evil.example", "sec-fetch-site": "cross-site"}
    fields = {"name": "olga", "password": PASSWORD, "code": code}
    for path in ("/login", "/join", "/logout"):
        assert page.post(path, data=fields, headers=headers).status_code == 403
    assert members.invited(code) is not None


def test_what_a_page_sends_for_who_loaded_it_is_not_taken_for_who_signed_in_since(page, members, olga, project):
    members.join(members.invite(Role.ANNOTATOR, "Änne", "olga"), "", PASSWORD)
    log_in(page, "Änne")
    as_loaded = {"budgetal-annotator": "%C3%84nne"}
    claimed = page.post("/api/v1/claims", json={"client": "c"}, headers=as_loaded).json()["items"][0]
    page.cookies.clear()
    log_in(page, "olga")
    answer = {"client": "c", **claimed, "label": "red", "key": "k"}
    reply = page.post("/api/v1/labels", json=answer, headers=as_loaded)
    assert (reply.status_code, project.state.labels) == (401, {})
    assert "signed in as olga" in reply.json()["message"]
    page.cookies.clear()
    log_in(page, "Änne")
    assert page.post("/api/v1/labels", json=answer, headers=as_loaded).status_code == 200


def test_passwords_are_not_in_the_journal(project, olga):
    assert "argon2" not in str(project.logbook.events())
    with pytest.raises(DataError, match="no account 'anna'"):
        Members(project.logbook).revoke("anna")


def test_names_are_compared_as_people_see_them():
    assert alike("Ｊosé ") == alike("josé") == alike("JOSÉ")
    assert alike("jose") != alike("josé")


def test_a_role_that_does_not_exist_is_refused(page, olga):
    log_in(page, "olga")
    assert ask(page, "invites", role="god").status_code == 422
    with pytest.raises(ConfigError):
        passwords.check_password("password", "anna")
