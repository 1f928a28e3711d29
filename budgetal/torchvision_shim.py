"""The one place that imports torchvision.

The torchvision of the package index is built for CUDA. Next to a CPU-only torch its compiled operators
cannot be loaded, and `torchvision._meta_registrations`, which describes those operators to the compiler,
stops the whole import: "operator torchvision::nms does not exist". Nothing here uses these operators
(they serve detection), so an empty module in that name's place makes models, transforms and data sets
importable. The shim acts only when torch has no CUDA build and the plain import fails.
"""

import importlib
import sys
from types import ModuleType

_BROKEN = "torchvision._meta_registrations"


def torchvision() -> ModuleType:
    """Import torchvision, also next to a CPU-only torch; later imports of it then just work.

    Raises ImportError or RuntimeError, torchvision's own, when it is missing or does not fit torch.
    """
    try:
        return importlib.import_module("torchvision")
    except RuntimeError:
        import torch

        if torch.version.cuda is not None or torch.version.hip is not None:
            raise
    _forget_partial_import()
    sys.modules[_BROKEN] = ModuleType(_BROKEN)
    return importlib.import_module("torchvision")


def _forget_partial_import() -> None:
    """Drop what the failed import left behind, or the second one would find half-made modules."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
        del sys.modules[name]
