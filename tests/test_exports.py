"""What a package exports is what its __init__ says, and `import budgetal` stays light."""

import importlib
import pkgutil
import subprocess
import sys
from types import ModuleType

import pytest

import budgetal

PUBLIC = ["Annotation", "BudgetalError", "Certificate", "Config", "InputError", "Project", "Query"]


def _packages():
    found = [module.name for module in pkgutil.walk_packages(budgetal.__path__, "budgetal.") if module.ispkg]
    return [name for name in found if hasattr(importlib.import_module(name), "__all__")]


def test_the_public_names_are_these():
    assert budgetal.__all__ == PUBLIC
    assert set(PUBLIC) <= set(dir(budgetal))


@pytest.mark.parametrize("name", PUBLIC)
def test_a_public_name_is_the_object_it_is_at_home(name):
    exported = getattr(budgetal, name)
    home = importlib.import_module(exported.__module__)
    assert getattr(home, name) is exported
    assert exported.__doc__


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="'budgetal' has no attribute 'Projekt'"):
        budgetal.Projekt  # noqa: B018


@pytest.mark.parametrize("package", _packages())
def test_all_names_exist_are_sorted_and_complete(package):
    module = importlib.import_module(package)
    names = module.__all__
    assert names == sorted(names, key=_constants_then_classes)
    assert [name for name in names if not hasattr(module, name)] == []
    public = {name for name, value in vars(module).items() if not name.startswith("_") and not _is_module(value)}
    assert public <= set(names)


def _is_module(value):
    return isinstance(value, ModuleType)


def test_importing_the_package_or_its_store_loads_no_network_library():
    code = "import sys, budgetal, budgetal.store; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def _constants_then_classes(name):
    """The linter's order: constants, classes, functions."""
    return (not name.isupper(), not name[0].isupper(), name)
