"""A fine-tuning's state after each epoch, in one file that is whole, or old, or refused."""

import hashlib
import json
import warnings
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import safetensors.torch
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from budgetal.errors import StorageError
from budgetal.files import write_atomic
from budgetal.types import EpochRecord


@dataclass(frozen=True)
class Checkpoint:
    """Where one fit keeps its state. `key` names the fit; a file of another fit is left alone until saved over."""

    path: Path
    key: str

    def save(self, network: nn.Module, records: tuple[EpochRecord, ...]) -> None:
        """Write weights and records, atomically, over what was there."""
        state = {name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()}
        history = json.dumps([asdict(record) for record in records])
        metadata = {"key": self.key, "epochs": history, "sha256": digest(state, self.key + history)}
        self.path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(self.path, safetensors.torch.save(state, metadata))

    def resume(self, network: nn.Module) -> tuple[EpochRecord, ...]:
        """Put the saved weights into `network` and return its epochs; nothing saved for this fit: ().

        Raises StorageError when the file is damaged; the network is then as it was.
        """
        if not self.path.exists():
            return ()
        state, metadata = self._read()
        if metadata.get("key") != self.key:
            return ()
        network.load_state_dict(state, strict=True)
        return tuple(EpochRecord(**record) for record in json.loads(metadata["epochs"]))

    def discard_if_damaged(self) -> None:
        """Remove a damaged file, with a warning: the fit then starts again and ends with the same weights."""
        if not self.path.exists():
            return
        try:
            self._read()
        except StorageError as error:
            warnings.warn(f"{error}; this fit starts again", stacklevel=2)
            self.path.unlink()

    def _read(self) -> tuple[dict[str, Tensor], dict[str, str]]:
        try:
            with safe_open(self.path, "pt") as file:
                metadata = file.metadata() or {}
                state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no iterator)
        except (SafetensorError, OSError) as error:
            raise StorageError(f"Checkpoint {self.path} is damaged: {error}") from None
        signed = metadata.get("key", "") + metadata.get("epochs", "")
        if metadata.get("sha256") != digest(state, signed):
            raise StorageError(f"Checkpoint {self.path} is damaged: its content does not match its hash")
        return state, metadata


def digest(state: Mapping[str, Tensor], text: str = "") -> str:
    """SHA-256 of named tensors (names, types, shapes and bytes) and a text, in hexadecimal."""
    total = hashlib.sha256(text.encode())
    for name in sorted(state):
        tensor = state[name].detach().cpu().contiguous()
        total.update(f"\n{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        total.update(tensor.flatten().view(torch.uint8).numpy().data)
    return total.hexdigest()
