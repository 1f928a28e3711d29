"""A comparison's file: what it stands for, and one clear line for each mistake."""

import pytest
from collections_made import write_npy

from budgetal.cli import exit_code
from budgetal.compare.config import load_comparison
from budgetal.errors import ConfigError


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_npy(tmp_path_factory.mktemp("data") / "bars", 60)


@pytest.fixture
def load(data, tmp_path):
    def load(text, **more):
        path = tmp_path / "c.toml"
        path.write_text(text.replace("DATA", str(data)))
        return load_comparison(path, **more)

    return load


PLAIN = 'dataset = "DATA"\n[settings]\nbudget = 40\n'


def test_arms_are_the_product_of_the_axes_and_runs_go_seed_by_seed(load):
    text = PLAIN + 'batch = 5\n[axes]\nstrategy = ["random", "margin"]\nbudget = [30, 50]\n'
    found = load(text.replace("budget = 40\n", "").replace("dataset", "seeds = 2\ndataset"))
    names = ["random, budget 30", "random, budget 50", "margin, budget 30", "margin, budget 50"]
    assert [arm.name for arm in found.arms] == names
    assert found.arms[2].settings == {"batch": 5, "strategy": "margin", "budget": 30}
    assert [(run.arm.name, run.seed) for run in found.runs()] == [(name, seed) for seed in (0, 1) for name in names]
    assert len({run.folder for run in found.runs()}) == 8


def test_an_axis_of_ones_own_has_named_systems_that_override_settings(load):
    text = PLAIN + '[axes]\nsystem = [{name="ours", strategy="margin"}, {name="big", budget=50, noise=0.2}]\n'
    found = load(text)
    assert [arm.name for arm in found.arms] == ["ours", "big"]
    assert found.arms[1].settings == {"budget": 50, "noise": 0.2}
    assert found.seeds == (0, 1, 2, 3, 4)
    assert load(text, n_seeds=1).seeds == (0,)


def test_environment_variables_are_filled_in(load, data, monkeypatch):
    monkeypatch.setenv("BARS", str(data.parent))
    found = load(PLAIN.replace("DATA", "$BARS/bars"))
    assert found.collections == {"bars": str(data)}
    assert [arm.name for arm in found.arms] == ["all"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("datset = 1\n" + PLAIN, "Unknown key 'datset': did you mean 'dataset'"),
        ("seeds = [1, 1]\n" + PLAIN, "Key 'seeds' cannot be [1, 1]"),
        ("seeds = 0\n" + PLAIN, "Key 'seeds' cannot be 0"),
        ("targets = [1.5]\n" + PLAIN, "Key 'targets' cannot be [1.5]"),
        ("pool_size = -3\n" + PLAIN, "Key 'pool_size' cannot be -3"),
        ('baseline = "rand"\n' + PLAIN, "Unknown baseline 'rand'"),
        ('dataset = "nowhere/at/all"\n[settings]\nbudget = 5\n', "There is no collection 'nowhere/at/all'"),
        ('dataset = "$NOT_SET_HERE/x"\n[settings]\nbudget = 5\n', "NOT_SET_HERE, which is not set"),
        ('dataset = ["DATA", "DATA"]\n[settings]\nbudget = 5\n', "two collections alike"),
        ("dataset = 3\n", "Key 'dataset' cannot be 3"),
        ('dataset = "DATA"\n', "Setting 'budget' is missing"),
        (PLAIN + "bugdet = 3\n", "Unknown setting 'bugdet': did you mean 'budget'"),
        (PLAIN + "seed = 3\n", "Setting 'seed' is the comparison's"),
        (PLAIN + "tolerance = 3.0\n", "Setting 'tolerance' cannot be 3.0"),
        (PLAIN + "noise = 1.5\n", "Setting 'noise' cannot be 1.5"),
        (PLAIN + "annotators = 0\n", "Setting 'annotators' cannot be 0"),
        (PLAIN + '[axes]\nstrategy = ["margn"]\n', "Arm 'margn': Unknown strategy 'margn'"),
        (PLAIN + '[axes]\nstrategy = ["skactiveml:Bagde"]\n', "Arm 'skactiveml:Bagde'"),
        (PLAIN + '[axes]\nbackbone = ["resnet8"]\n', "Unknown backbone 'resnet8'"),
        (PLAIN + '[axes]\nstrategie = ["margin"]\n', "Unknown setting 'strategie': did you mean 'strategy'"),
        (PLAIN + "[axes]\nstrategy = []\n", "Axis 'strategy' cannot be []"),
        (PLAIN + '[axes]\nstrategy = ["margin", "margin"]\n', "Axis 'strategy' has a value twice"),
        (PLAIN + "[axes]\nbudget = [10]\n", "Setting 'budget' is given twice"),
        (PLAIN + '[axes]\nsystem = [{strategy = "margin"}]\n', "Key 'axes.system.name' cannot be None"),
        (PLAIN + '[axes]\nsystem = [{name = "a", strtegy = "margin"}]\n', "Unknown setting 'strtegy'"),
        (PLAIN + '[axes]\nstrategy = ["margin"]\ns = [{name = "a", strategy = "random"}]\n', "given twice"),
        ("axes = 3\n" + PLAIN, "Key 'axes' cannot be 3"),
        ("this is no toml", "Cannot read"),
    ],
)
def test_each_mistake_is_one_line(load, text, message):
    with pytest.raises(ConfigError) as caught:
        load(text)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_command_answers_a_mistake_with_code_2_and_makes_no_folder(tmp_path, capsys):
    path = tmp_path / "c.toml"
    path.write_text('dataset = "digits"\n[settings]\nbudgte = 3\n')
    assert exit_code(["compare", str(path), "--out", str(tmp_path / "out")]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert exit_code(["compare", str(tmp_path / "none.toml"), "--out", str(tmp_path / "out")]) == 2
    assert not (tmp_path / "out").exists()
