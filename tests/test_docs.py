"""What the documentation says is true: its commands and examples run, and nothing is left undocumented."""

import doctest
import importlib
import json
import re
import runpy
import shutil
import tomllib
from pathlib import Path

import numpy as np
import pytest
import typer
from doc_blocks import blocks_of, commands_of, run_page
from PIL import Image
from safetensors.torch import save_file
from scipy.stats import hypergeom

from budgetal.annotators.confidence import sources
from budgetal.annotators.oracle import Oracle
from budgetal.blindness import may_be_helped
from budgetal.cli import app
from budgetal.config import Config
from budgetal.project import Project
from budgetal.query.strategy import list_strategies, strategies
from budgetal.review_pages import Wanted
from budgetal.reviewing import Reviewing
from budgetal.simulate import run
from budgetal.state import HANDLERS
from budgetal.torchvision_shim import torchvision
from budgetal.types import Annotation
from budgetal.validation import FIXED

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
RUN_PAGES = [ROOT / "README.md", DOCS / "certificate.md", DOCS / "method.md", *sorted((DOCS / "how-to").glob("*.md"))]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted(DOCS.rglob("*.md"))]
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
CLASSES = ("crow", "owl")
SHIPPED_STRATEGIES = list_strategies()


def _name(path):
    return path.relative_to(ROOT).as_posix()


def _write_birds(folder, n, seed, nested=False):
    """Noisy images, crows red and owls green; returns the lines of a label file."""
    rng = np.random.default_rng(seed)
    rows = ["path,label"]
    for i in range(n):
        image = rng.integers(0, 120, (24, 24, 3))
        image[..., i % 2] += int(rng.integers(70, 130))
        path = f"{CLASSES[i % 2]}/{i:04}.png" if nested else f"{i:04}.png"
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image.astype(np.uint8)).save(folder / path)
        rows.append(f"{path},{CLASSES[i % 2]}")
    return "\n".join(rows) + "\n"


@pytest.fixture(scope="module")
def reader_folder(tmp_path_factory):
    """What the pages say that a reader has: images, a table of labels, a file of weights."""
    folder = tmp_path_factory.mktemp("reader")
    labels = _write_birds(folder / "birds", 240, seed=0)
    (folder / "labels.csv").write_text(labels)
    (folder / "gold.csv").write_text("\n".join(labels.splitlines()[:21]) + "\n")
    _write_birds(folder / "new-birds", 6, seed=1)
    _write_birds(folder / "labelled-birds", 200, seed=2, nested=True)
    return folder


@pytest.fixture
def reader(reader_folder, tmp_path, monkeypatch):
    """A fresh copy of the reader's folder as the working folder, and a registry that forgets what docs register."""
    shutil.copytree(reader_folder, tmp_path / "reader")
    monkeypatch.chdir(tmp_path / "reader")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr(strategies, "_items", dict(strategies._items))
    return tmp_path / "reader"


def _write_weights(path):
    save_file(torchvision().models.get_model("mobilenet_v2", weights=None).state_dict(), path)


@pytest.mark.parametrize("page", RUN_PAGES, ids=_name)
def test_every_command_and_python_block_runs_as_it_is_written(page, reader):
    if page.stem == "imagenet-offline":
        _write_weights(reader / "mobilenet_v2.safetensors")
    assert run_page(page) > 0


@pytest.mark.parametrize("example", EXAMPLES, ids=_name)
def test_examples_run(example, reader, capsys, monkeypatch):
    monkeypatch.setattr("sys.argv", [str(example), str(reader / "out")])
    runpy.run_path(str(example), run_name="__main__")
    assert capsys.readouterr().out.count("\n") >= 2
    assert (reader / "out" / "journal.db").exists()
    assert len(example.read_text().splitlines()) < 40


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_links_lead_somewhere(page):
    text = page.read_text(encoding="utf-8")
    targets = [target for target in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in target]
    for path, _, anchor in (target.partition("#") for target in targets):
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{_name(page)} links to {path}, which does not exist"
        assert not anchor or anchor in _anchors(target), f"{_name(page)} links to #{anchor} of {target.name}"


def _anchors(page):
    """Anchors as code hosts derive them from headings."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def _table(page, heading):
    """Rows of the first table below a heading: their cells."""
    _, _, below = page.read_text(encoding="utf-8").partition(f"## {heading}\n")
    assert below, f"{page.name} has no section {heading!r}"
    lines = below.partition("\n## ")[0].splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines if line.startswith("| `")]
    assert rows, f"section {heading!r} of {page.name} has no table"
    return rows


def _code(cell):
    return re.findall(r"`([^`]+)`", cell)


def test_every_command_is_in_the_readme_and_in_the_reference():
    commands = set(typer.main.get_command(app).commands)
    reference = {_code(row[0])[0].split()[1] for row in _table(DOCS / "reference.md", "Commands")}
    readme = {_code(row[0])[0].split()[1] for row in _table(ROOT / "README.md", "From the command line")}
    assert reference == commands
    assert readme == commands


def test_every_option_is_in_the_reference():
    """An option is documented with its command, or is a setting spelt with dashes."""
    settings = {f"--{name.replace('_', '-')}" for name in Config.model_fields}
    documented = {_code(row[0])[0].split()[1]: set(_code(row[2])) for row in _table(DOCS / "reference.md", "Commands")}
    for name, command in typer.main.get_command(app).commands.items():
        options = {option for parameter in command.params for option in parameter.opts if option.startswith("--")}
        assert options <= documented[name] | settings, name
        assert documented[name] <= options, name


def test_every_setting_is_in_the_reference_with_its_default():
    documented = {_code(row[0])[0]: row[1] for row in _table(DOCS / "reference.md", "Settings")}
    defaults = {name: _as_text(field) for name, field in Config.model_fields.items()}
    assert documented == defaults


def _as_text(field):
    if field.is_required():
        return "required"
    return "none" if field.default is None else json.dumps(field.default)


def test_the_reference_says_which_settings_are_fixed():
    rows = _table(DOCS / "reference.md", "Settings")
    assert {_code(row[0])[0] for row in rows if row[2].endswith("fixed")} == set(FIXED)


def test_every_strategy_is_in_the_reference_with_cost_and_source():
    rows = {_code(row[0])[0]: row[2:] for row in _table(DOCS / "reference.md", "Strategies")}
    assert rows == {item.name: [item.cost, item.source] for item in SHIPPED_STRATEGIES}


def test_every_source_of_confidence_is_in_the_reference_and_in_the_method():
    rows = {_code(row[0])[0]: row[1:] for row in _table(DOCS / "reference.md", "Sources of confidence")}
    assert {name: row[1] for name, row in rows.items()} == {name: sources[name].origin for name in sources}
    assert {_code(row[0])[0] for row in _table(DOCS / "method.md", "Sources of confidence")} == set(sources)


@pytest.fixture(scope="module")
def eventful(tmp_path_factory):
    """A small project in which everything happens that can be recorded, and its report."""
    folder = tmp_path_factory.mktemp("eventful")
    _write_birds(folder / "birds", 120, seed=3, nested=True)
    settings = {"budget": 80, "audit": 50, "initial": 10, "batch": 10, "tolerance": 0.3, "risk": 0.2}
    project = Project.create(folder / "project", images=str(folder / "birds"), **settings)
    truth = {sample.sample_id: sample.label for sample in project.samples}
    oracle, gold = Oracle(truth), min(truth)
    (folder / "gold.csv").write_text(f"sample_id,label\n{gold},{truth[gold]}\n")
    project.add_gold(folder / "gold.csv")
    query = project.ask()
    project.tell(oracle.annotate(query))
    project.undo(query.sample_ids[0])
    project.skip(query.sample_ids[0], broken=True)
    project.configure(budget=85)
    project.change_classes("rename", "owl", "barn owl")
    project.pause("anna")
    project.resume("anna")
    while (query := project.ask()).purpose != "round":
        project.tell(oracle.annotate(query))
    helped = next(i for i in query.sample_ids if may_be_helped(project.state, i, query.query_id))
    project.tell([Annotation(helped, "owl", suggestion="crow")])
    run(project, oracle)
    reviewing = Reviewing(project)
    (first,) = reviewing.page(Wanted(), 1, "anna").items
    reviewing.review([Annotation(first.sample_id, "owl", "anna"), Annotation(first.sample_id, "owl", "ben")])
    reviewing.take_back([first.sample_id], "ben")
    return project, project.write_outputs()


def test_the_table_of_events_is_what_the_journal_holds(eventful):
    documented = {
        _code(kind)[0]: set(_code(data)) for kind, _when, data in _table(DOCS / "architecture.md", "The journal")
    }
    written: dict[str, set[str]] = {}
    for event in eventful[0]._logbook.events():
        written.setdefault(event.kind, set()).update(event.data)
    assert set(documented) == set(HANDLERS)
    assert documented == written


def test_the_table_of_files_is_what_a_project_folder_holds(eventful):
    documented = {name for row in _table(DOCS / "architecture.md", "A project's folder") for name in _code(row[0])}
    folder = eventful[0].folder
    found = {path.name + "/" * path.is_dir() for path in folder.iterdir()} - {"journal.db-wal", "journal.db-shm"}
    assert found <= documented
    assert {name for name in documented if not (folder / name).exists()} == set()


def test_every_figure_of_the_report_is_in_the_reference(eventful):
    _project, report = eventful
    documented = {name for row in _table(DOCS / "reference.md", "Results") for name in _code(row[0])}
    assert documented == set(report)
    certificate = next(row[1] for row in _table(DOCS / "reference.md", "Results") if row[0] == "`certificate`")
    assert set(_code(certificate)) == set(report["certificate"])


def test_the_certificate_in_a_report_is_recomputed_as_the_method_page_does_by_hand(eventful):
    found = eventful[1]["certificate"]
    n_population, errors = found["n_auto"] + found["n_audit"], found["errors"]
    possible = range(errors, found["n_auto"] + errors + 1)
    likelihoods = hypergeom.cdf(errors, n_population, np.array(possible), found["n_audit"])
    worst = max(m for m, likelihood in zip(possible, likelihoods, strict=True) if likelihood > found["look_risk"])
    assert found["bound_at_threshold"] == pytest.approx((worst - errors) / found["n_auto"])
    assert found["look_risk"] < found["risk"] == eventful[1]["risk"]


def test_the_layers_in_the_architecture_are_those_of_the_contract():
    contract = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"][0]
    layers = [re.split(r" [|:] ", layer) for layer in contract["layers"]]
    assert [_code(row[0]) for row in _table(DOCS / "architecture.md", "Layers")] == layers


def _modules_with_examples():
    files = {path: path.relative_to(ROOT).with_suffix("").parts for path in (ROOT / "budgetal").rglob("*.py")}
    names = {path: ".".join(parts).removesuffix(".__init__") for path, parts in files.items()}
    return sorted(name for path, name in names.items() if ">>> " in path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", _modules_with_examples())
def test_examples_in_docstrings_run(name, reader):
    outcome = doctest.testmod(importlib.import_module(name))
    assert outcome.attempted > 0
    assert outcome.failed == 0


def test_no_page_keeps_a_placeholder():
    for page in PAGES:
        assert not re.findall(r"@[A-Z0-9]+@|TODO|FIXME", page.read_text(encoding="utf-8")), _name(page)


def test_console_output_and_comments_are_not_taken_for_commands(tmp_path):
    page = tmp_path / "page.md"
    bash = "```bash\n# budgetal init\nmake demo\nbudgetal status a \\\n  --json  # now\n```\n"
    console = "```console\n$ budgetal doctor\nall is well with\n```\n"
    page.write_text(bash + console)
    assert [commands_of(block) for block in blocks_of(page)] == [[["status", "a", "--json"]], [["doctor"]]]
