"""torchvision imports next to any torch; checked in fresh interpreters, for an import happens once."""

import subprocess
import sys

import pytest


def run(program: str) -> str:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_models_transforms_and_datasets_import_through_the_shim() -> None:
    program = """
from budgetal.torchvision_shim import torchvision
package = torchvision()
assert package is torchvision()
import torchvision
assert torchvision is package
from torchvision import datasets, models, transforms
import torch
print(tuple(models.resnet18().eval()(torch.zeros(1, 3, 32, 32)).shape))
"""
    assert run(program) == "(1, 1000)"


@pytest.mark.parametrize(("cuda", "raised"), [("None", "imported"), ("'13.0'", "nms does not exist")])
def test_the_shim_acts_only_without_a_cuda_build(cuda: str, raised: str) -> None:
    """Stands in for torchvision's failure, so that it holds whatever torchvision is installed."""
    program = f"""
import importlib, sys, types
torch = sys.modules["torch"] = types.ModuleType("torch")
torch.version = types.SimpleNamespace(cuda={cuda}, hip=None)
calls = []
def fake(name):
    calls.append(name)
    if len(calls) == 1:
        sys.modules["torchvision.half_made"] = types.ModuleType("torchvision.half_made")
        raise RuntimeError("operator torchvision::nms does not exist")
    assert "torchvision.half_made" not in sys.modules
    assert vars(sys.modules["torchvision._meta_registrations"])["__doc__"] is None
    return types.ModuleType(name)
importlib.import_module = fake
from budgetal.torchvision_shim import torchvision
try:
    torchvision()
    print("imported")
except RuntimeError as error:
    print(error)
"""
    assert raised in run(program)
