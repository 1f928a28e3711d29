"""docs/strategies.md is what the docstrings say."""

import runpy
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_the_page_of_strategies_is_up_to_date():
    page = runpy.run_path(str(ROOT / "scripts" / "strategies_page.py"))["render"]()
    stored = (ROOT / "docs" / "strategies.md").read_text(encoding="utf-8")
    assert stored == page, "run python scripts/strategies_page.py"


def test_every_strategy_of_the_method_has_a_formula_and_a_source():
    page = (ROOT / "docs" / "strategies.md").read_text(encoding="utf-8")
    sections = {part.partition("`")[0]: part for part in page.split("\n## `")[1:]}
    for name in METHOD:
        assert len(sections[name].split()) > 25, f"{name} is not explained"


METHOD = (
    *("random", "entropy", "margin", "least_confidence", "bald", "information_density", "informative", "core_set"),
    *("dynamic_batch", "suggestive", "ceal", "pseudo_annotators", "label_propagation", "model_adaptation"),
    *("gp_transfer", "transfer_importance", "hierarchical_transfer", "source_queries", "information_regularization"),
    *("committee", "badge", "typiclust", "prob_cover", "cluster_margin", "drop_query", "bait", "max_herding"),
)
