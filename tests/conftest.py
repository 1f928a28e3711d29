"""Checks every array shape that measures and query declare, in every test."""

import faiss
import torch
from jaxtyping import install_import_hook

install_import_hook(["budgetal.measures", "budgetal.query"], "runtime_types.checked")

# Tests share few processors: a second thread would only wait.
torch.set_num_threads(1)
faiss.omp_set_num_threads(1)
