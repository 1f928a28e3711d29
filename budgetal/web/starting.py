"""A server before there is a project: a browser makes one of images below the allowed roots."""

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from budgetal.config import make_config
from budgetal.errors import BudgetalError, ProjectError
from budgetal.project import Project
from budgetal.web.roots import Roots

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Wish:
    """The project that somebody wants. classes: empty for those that the subfolders say."""

    root: str
    names: tuple[str, ...]
    classes: tuple[str, ...]
    budget: int
    tolerance: float
    use_given_labels: bool = False


@dataclass(frozen=True)
class Progress:
    """How far the making is. problem: why it failed; is_ready: the project is there."""

    doing: str
    done: int = 0
    total: int = 1
    problem: str | None = None
    is_ready: bool = False


class Starting:
    """Makes one project in `folder`. on_ready is called once it is made, from another thread."""

    def __init__(self, folder: Path, roots: Roots, on_ready: Callable[[], None] = lambda: None) -> None:
        self.folder = folder
        self.roots = roots
        self.on_ready = on_ready
        self.progress = Progress("waiting for you")
        self._turn = threading.Lock()
        self._thread: threading.Thread | None = None

    def begin(self, wish: Wish) -> None:
        """Make the project beside; `progress` says how it goes. Raises InputError for a wish that cannot be.

        Raises ProjectError while another one is being made.
        """
        images = self.roots.folder(wish.root, wish.names)
        make_config(images=str(images), classes=wish.classes, budget=wish.budget, tolerance=wish.tolerance)
        with self._turn:
            if self.progress.is_ready or (self._thread is not None and self._thread.is_alive()):
                raise ProjectError("A project is being made already: wait for it")
            self.progress = Progress("reading images")
            self._thread = threading.Thread(target=self._make, args=(wish, images), name="starting", daemon=True)
            self._thread.start()

    def wait(self) -> None:
        """Until what was begun has come to its end."""
        if self._thread is not None:
            self._thread.join()

    def _make(self, wish: Wish, images: Path) -> None:
        try:
            Project.create(
                self.folder,
                images=str(images),
                budget=wish.budget,
                tolerance=wish.tolerance,
                classes=wish.classes,
                use_given_labels=wish.use_given_labels,
                on_progress=self._say,
            ).close()
        except BudgetalError as error:
            self.progress = Progress("failed", problem=str(error))
        except Exception as error:
            # Somebody waits at a page: a thread that dies in silence would leave them waiting.
            logger.exception("The project could not be made")
            self.progress = Progress("failed", problem=f"The project could not be made: {error}")
        else:
            self.progress = Progress("opening the project", is_ready=True)
            self.on_ready()

    def _say(self, what: str, done: int, total: int) -> None:
        self.progress = Progress(what, done, total)


def split_classes(text: Sequence[str]) -> tuple[str, ...]:
    """Class names without what surrounds them, and without empty ones."""
    return tuple(name for name in (part.strip() for part in text) if name)
