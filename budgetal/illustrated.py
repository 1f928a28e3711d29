"""Gathers what the HTML report shows: figures from the state, pictures from the collection."""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

import numpy as np

from budgetal.answers import targets_of
from budgetal.data.duplicates import near_duplicates
from budgetal.evidence import proposals_of
from budgetal.export.labels import LabelRow
from budgetal.learner import Learner
from budgetal.metrics import confusion_matrix
from budgetal.report.data import ClassRow, Picture, ReportData, RoundRow
from budgetal.report.pictures import picture
from budgetal.state import State
from budgetal.types import AUTOMATIC, Json, Quarantined, RowArray, Sample

PICTURES_PER_QUERY = 16
N_LEAST_CONFIDENT = 24
N_POSSIBLE_OUTLIERS = 24
N_DUPLICATES = 12


class Illustrator:
    """Builds a report's data for one state of a project."""

    def __init__(
        self,
        state: State,
        samples: Sequence[Sample],
        quarantined: Sequence[Quarantined],
        learner: Learner,
    ) -> None:
        self.state = state
        self.samples = samples
        self.quarantined = tuple(quarantined)
        self.learner = learner
        self.config = state.settings
        self.probs = learner.space.arrays.get(state.probs_ref) if state.probs_ref else None
        self.proposals = proposals_of(state, learner.space.arrays)

    def report_data(self, rows: Sequence[LabelRow], summary: dict[str, Json]) -> ReportData:
        """Everything on the page. rows: as from `results.label_rows`."""
        return ReportData(
            title=self.learner.space.folder.resolve().name,
            summary=summary,
            rounds=tuple(self._rounds()),
            classes=self.config.classes,
            confusion=self._confusion(),
            class_rows=tuple(self._class_rows(rows)),
            asked=tuple(self._asked()),
            least_confident=self._least_confident(rows),
            possible_outliers=self._possible_outliers(rows),
            near_duplicates=self._near_duplicates(),
            exact_duplicates=sum(len(sample.paths) - 1 for sample in self.samples),
            quarantined=self.quarantined,
            settings={name: str(value) for name, value in self.config if value is not None},
        )

    def _rounds(self) -> Iterable[RoundRow]:
        n_audit = sum(i in self.state.labels for i in self.state.first_audit)
        for record in self.state.rounds:
            fields: dict[str, Any] = {
                name: getattr(record, name) for name in RoundRow.__dataclass_fields__ if name != "n_audit"
            }
            yield RoundRow(**fields, n_audit=n_audit)

    def _audit(self, *, certifying: bool = False) -> tuple[RowArray, RowArray, RowArray]:
        """Rows, true and predicted classes of the answered audit, or of that part which still certifies.

        The true class is -1 where an image is none of them.
        """
        audit = self.state.certifying if certifying else self.state.first_audit
        ids = [i for i in audit if i in self.state.labels]
        rows = self.learner.pool.rows(ids)
        targets = targets_of(self.state, ids)
        predicted = np.empty(0, np.int64) if self.probs is None else self.probs[rows].argmax(axis=1)
        return rows, targets, predicted

    def _confusion(self) -> np.ndarray[Any, np.dtype[np.int64]] | None:
        rows, targets, predicted = self._audit()
        if self.probs is None or len(rows) == 0:
            return None
        of_a_class = targets >= 0
        return confusion_matrix(targets[of_a_class], predicted[of_a_class], len(self.config.classes))

    def _class_rows(self, rows: Sequence[LabelRow]) -> Iterable[ClassRow]:
        audit_rows, targets, predicted = self._audit(certifying=True)
        certificate = self.state.certificate
        sure = np.zeros(len(audit_rows), dtype=bool)
        # Of an audit that was drawn by weight the share of right answers says nothing of a class.
        if certificate and certificate.n_all is None and self.proposals is not None:
            predicted = self.proposals.targets[audit_rows]
            sure = certificate.reached(self.proposals.scores[audit_rows], predicted)
        people = Counter(row.label for row in rows if row.provenance in ("human", "human (review)", "audit"))
        automatic = Counter(row.label for row in rows if row.provenance in AUTOMATIC)
        for index, name in enumerate(self.config.classes):
            mine = sure & (predicted == index) if len(predicted) else sure
            yield ClassRow(
                name,
                people[name],
                automatic[name],
                int(mine.sum()),
                int((mine & (targets == index)).sum()),
            )

    def _asked(self) -> Iterable[tuple[str, tuple[Picture, ...]]]:
        how = "by weight" if self.config.labels_everything else "at random"
        headings = {"audit": f"Audit, drawn {how}", "initial": "First query"}
        for query in self.state.queries.values():
            heading = headings.get(query.purpose, f"Round {query.round}")
            label_of = {i: self.state.labels[i].label for i in query.sample_ids if i in self.state.labels}
            # Whoever is still to answer an image shall not see here that it is of the audit.
            shown = query.sample_ids if self.state.finished else tuple(label_of)
            shown = shown[:PICTURES_PER_QUERY]
            pictures = self._pictures((i, label_of.get(i, "not answered")) for i in shown)
            yield f"{heading}: {len(query.sample_ids)} images", pictures

    def _least_confident(self, rows: Sequence[LabelRow]) -> tuple[Picture, ...]:
        automatic = [row for row in rows if row.provenance in AUTOMATIC and row.confidence is not None]
        automatic.sort(key=lambda row: (row.confidence, row.sample_id))
        return self._pictures(
            (row.sample_id, f"{row.label}, {row.confidence:.1%}") for row in automatic[:N_LEAST_CONFIDENT]
        )

    def _possible_outliers(self, rows: Sequence[LabelRow]) -> tuple[Picture, ...]:
        found = [row for row in rows if row.provenance == "possible outlier"]
        found.sort(key=lambda row: (-(row.outlier_score or 0.0), row.sample_id))
        return self._pictures(
            (row.sample_id, f"{row.outlier_score or 0.0:.0%}; else {row.label}") for row in found[:N_POSSIBLE_OUTLIERS]
        )

    def _near_duplicates(self) -> tuple[tuple[Picture, Picture, float], ...]:
        if self.state.embeddings_ref is None:
            return ()
        embeddings = self.learner.space.arrays.get(self.state.embeddings_ref)
        pairs = near_duplicates(np.asarray(embeddings), limit=N_DUPLICATES)
        ids = self.learner.pool.sample_ids
        return tuple(
            (self._picture(ids[a], "one"), self._picture(ids[b], "other"), similarity)
            for a, b, similarity in islice(pairs, N_DUPLICATES)
        )

    def _pictures(self, captioned: Iterable[tuple[str, str]]) -> tuple[Picture, ...]:
        return tuple(self._picture(sample_id, caption) for sample_id, caption in captioned)

    def _picture(self, sample_id: str, caption: str) -> Picture:
        pixels = self.learner.space.collection.pixels.read(self.learner.pool.rows([sample_id]))[0]
        return picture(pixels, caption)
