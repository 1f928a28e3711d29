"""What every route may use: the desk, the pictures, the sessions and the watcher of the journal."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from budgetal.desk import Desk
from budgetal.pictures import Pictures
from budgetal.reviewing import Reviewing
from budgetal.steering import Steering
from budgetal.web.attempts import Attempts
from budgetal.web.insights import Insights
from budgetal.web.maps import Maps
from budgetal.web.members import Members
from budgetal.web.outlook import Outlooks
from budgetal.web.records import Standing
from budgetal.web.sessions import Sessions
from budgetal.web.standing import standing
from budgetal.web.watcher import Watcher


@dataclass(frozen=True)
class Site:
    """One project as it is served."""

    desk: Desk
    pictures: Pictures
    sessions: Sessions
    attempts: Attempts
    watcher: Watcher
    reviewing: Reviewing
    steering: Steering
    outlook: Outlooks
    maps: Maps
    insights: Insights

    @property
    def members(self) -> Members:
        """Who belongs to the project."""
        return self.sessions.members

    @property
    def name(self) -> str:
        """The project's, which is its folder's."""
        return self.desk.project.folder.resolve().name

    def standing(self) -> Standing:
        """Where the project stands now."""
        return self.desk.look(lambda state: standing(state, self.watcher.learner))


def site_of(request: Request) -> Site:
    """The site that this app serves."""
    site: Site = request.app.state.site
    return site


def sessions_of(request: Request) -> Sessions:
    """Who may come in, with a project or before there is one."""
    sessions: Sessions = request.app.state.sessions
    return sessions


OfSessions = Annotated[Sessions, Depends(sessions_of)]
OfSite = Annotated[Site, Depends(site_of)]
