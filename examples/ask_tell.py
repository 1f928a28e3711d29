"""Label the bundled digits through Python: ask for images, tell their labels, until the budget is spent.

A person would look at each image and answer; here the data set's own labels answer.
"""

import sys
from pathlib import Path

from budgetal import Annotation, Project


def main(folder: Path) -> None:
    project = Project.create(folder, images="digits", budget=120, tolerance=0.1)
    answers = {sample.sample_id: str(sample.label) for sample in project.samples}
    while query := project.ask():
        project.tell([Annotation(sample_id, answers[sample_id], annotator="ann") for sample_id in query.sample_ids])
    report = project.write_outputs()
    print(f"{report['n_human_labels']} labels by people, {report['n_auto_labels']} automatic ones")
    print(f"Every label: {folder / 'labels.csv'}")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "runs/ask-tell"))
