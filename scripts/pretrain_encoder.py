"""Pre-train the embedded encoder on labelled 32x32 images and write its weights.

Example:
    python scripts/pretrain_encoder.py --data DIR --out encoder.safetensors --minutes 55 --seed 0

DIR holds train/images.npy (uint8, n x 32 x 32 x 3) and train/labels.npy (integers from 0). The learning
rate follows whichever is further along, epochs or minutes, so a run ends in time on a busy machine too.
"""

import argparse
import copy
import math
import os
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import safetensors.torch
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from budgetal.models.embedded import EMBEDDING_WIDTH, INPUT_SIZE, MEAN, STD, EmbeddedEncoder

BATCH_SIZE = 128
PEAK_LEARNING_RATE = 0.1
WARM_UP = 0.05
WEIGHT_DECAY = 5e-4
# Little smoothing: more of it separates the pre-training classes better but transfers worse (Kornblith et
# al., "Why do better loss functions lead to less transferable features?", NeurIPS 2021).
LABEL_SMOOTHING = 0.05
EMA_DECAY = 0.998
PAD = 4
# Small images first: they cost half as much and teach most of what the first epochs can (Howard, DAWNBench 2018).
SMALL_SIZE = 24
SMALL_UNTIL = 0.4


@dataclass(frozen=True)
class Schedule:
    """How far the run is: the larger of the used shares of its epochs and its wall-clock budget."""

    n_steps: int
    budget_s: float
    started_s: float

    def progress(self, step: int) -> float:
        elapsed_s = time.monotonic() - self.started_s
        return min(1.0, max(step / self.n_steps, elapsed_s / self.budget_s))

    def learning_rate(self, step: int) -> float:
        """Linear warm-up, then half a cosine to zero."""
        progress = self.progress(step)
        if progress < WARM_UP:
            return PEAK_LEARNING_RATE * (0.02 + 0.98 * progress / WARM_UP)
        return PEAK_LEARNING_RATE * 0.5 * (1 + math.cos(math.pi * (progress - WARM_UP) / (1 - WARM_UP)))


def main() -> None:
    args = parse_arguments()
    images, labels = load_images(args.data, args.device)
    rng = torch.Generator(device=args.device).manual_seed(args.seed)
    torch.manual_seed(args.seed)  # nn initialisers accept no generator
    n_classes = int(labels.max()) + 1
    network = nn.Sequential(EmbeddedEncoder(), nn.Linear(EMBEDDING_WIDTH, n_classes))
    network = network.to(args.device, memory_format=torch.channels_last)
    train(network, images, labels, args, rng)


def train(network: nn.Module, images: Tensor, labels: Tensor, args: argparse.Namespace, rng: torch.Generator) -> None:
    """Fit by SGD with Nesterov momentum; after each epoch write the averaged encoder to args.out."""
    optimiser = make_optimiser(network)
    average = copy.deepcopy(network).eval()
    n_batches = len(images) // BATCH_SIZE
    schedule = Schedule(args.epochs * n_batches, args.minutes * 60, time.monotonic())
    step = 0
    for epoch in range(args.epochs):
        losses, hits = [], []
        network.train()
        order = torch.randperm(len(images), generator=rng, device=images.device)
        for rows in order[: n_batches * BATCH_SIZE].split(BATCH_SIZE):
            set_learning_rate(optimiser, schedule.learning_rate(step))
            batch = resize(augment(images[rows], rng), schedule.progress(step))
            with torch.autocast(images.device.type, torch.bfloat16):
                logits = network(batch)
                loss = F.cross_entropy(logits, labels[rows], label_smoothing=LABEL_SMOOTHING)
            loss.backward()
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)
            step += 1
            update_average(average, network, step)
            losses.append(loss.detach())
            hits.append((logits.detach().argmax(dim=1) == labels[rows]).float().mean())
            if schedule.progress(step) >= 1:
                break
        report(epoch, losses, hits, schedule, step)
        save_encoder(average[0], args.out, epochs=epoch + 1, seed=args.seed)
        if schedule.progress(step) >= 1:
            return


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with train/images.npy and train/labels.npy")
    parser.add_argument("--out", type=Path, required=True, help="safetensors file to write after each epoch")
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--minutes", type=float, default=math.inf, help="wall-clock budget (default: none)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    return parser.parse_args()


def load_images(data: Path, device: str) -> tuple[Tensor, Tensor]:
    """Read the training split: uint8 (n, 3, 40, 40), padded for cropping, and int64 (n,)."""
    images = torch.from_numpy(np.load(data / "train" / "images.npy")).permute(0, 3, 1, 2)
    labels = torch.from_numpy(np.load(data / "train" / "labels.npy").astype(np.int64))
    # Reflection wants a float image; chunks keep that copy small.
    padded = [F.pad(chunk.float(), (PAD,) * 4, mode="reflect").byte() for chunk in images.split(5000)]
    return torch.cat(padded).to(device), labels.to(device)


def make_optimiser(network: nn.Module) -> torch.optim.SGD:
    """Decay the weights of convolutions and of the classifier, not norms or biases."""
    decayed = [p for p in network.parameters() if p.ndim > 1]
    others = [p for p in network.parameters() if p.ndim <= 1]
    groups = [{"params": decayed, "weight_decay": WEIGHT_DECAY}, {"params": others, "weight_decay": 0.0}]
    return torch.optim.SGD(groups, lr=PEAK_LEARNING_RATE, momentum=0.9, nesterov=True)


def set_learning_rate(optimiser: torch.optim.Optimizer, learning_rate: float) -> None:
    for group in optimiser.param_groups:
        group["lr"] = learning_rate


@torch.no_grad()
def update_average(average: nn.Module, network: nn.Module, step: int) -> None:
    """Exponential moving average of the weights and norm statistics, shorter at first."""
    decay = min(EMA_DECAY, (1 + step) / (10 + step))
    for mean, value in zip(average.state_dict().values(), network.state_dict().values(), strict=True):
        if mean.is_floating_point():
            mean.lerp_(value, 1 - decay)
        else:
            mean.copy_(value)


def report(epoch: int, losses: list[Tensor], hits: list[Tensor], schedule: Schedule, step: int) -> None:
    elapsed_s = time.monotonic() - schedule.started_s
    loss, accuracy = torch.stack(losses).mean().item(), torch.stack(hits).mean().item()
    print(
        f"epoch {epoch + 1:3d}  loss {loss:.3f}  train accuracy {accuracy:.3f}  "
        f"rate {schedule.learning_rate(step):.4f}  {elapsed_s:6.0f} s",
        flush=True,
    )


def save_encoder(encoder: nn.Module, path: Path, *, epochs: int, seed: int) -> None:
    """Write float16 weights atomically, so that a reader never sees half a file."""
    state = {
        name: (value.half() if value.is_floating_point() else value).cpu().contiguous()
        for name, value in encoder.state_dict().items()
    }
    metadata = {
        "version": "1",
        "data": "CIFAR-100 training split (Krizhevsky 2009)",
        "recipe": f"scripts/pretrain_encoder.py, {epochs} epochs, batch {BATCH_SIZE}, seed {seed}",
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".tmp")
    unfinished.write_bytes(safetensors.torch.save(state, metadata=metadata))
    os.replace(unfinished, path)


def augment(images: Tensor, rng: torch.Generator) -> Tensor:
    """Turn padded uint8 (n, 3, 40, 40) into normalised float (n, 3, 32, 32), each image in its own way.

    Inversion, grey and blur are there for what photographs lack: pen strokes and tiny scans.
    """
    batch = crop_and_flip(images, rng).float().div_(255)
    batch = zoom_some(blur_some(batch, rng), rng)
    batch = recolour(batch, rng)
    mean = torch.tensor(MEAN, device=batch.device).view(1, 3, 1, 1)
    std = torch.tensor(STD, device=batch.device).view(1, 3, 1, 1)
    return cut_out((batch - mean) / std, rng)


def resize(batch: Tensor, progress: float) -> Tensor:
    """Shrink the batch to SMALL_SIZE early in the run; the result is channels_last."""
    if progress < SMALL_UNTIL:
        batch = F.interpolate(batch, size=(SMALL_SIZE, SMALL_SIZE), mode="bilinear", antialias=True)
    return batch.contiguous(memory_format=torch.channels_last)


def uniform(n: int, low: float, high: float, like: Tensor, rng: torch.Generator) -> Tensor:
    """Draw (n, 1, 1, 1) numbers, one for each image."""
    return torch.rand(n, 1, 1, 1, generator=rng, device=like.device) * (high - low) + low


def crop_and_flip(images: Tensor, rng: torch.Generator) -> Tensor:
    """Cut a random 32-pixel square from each (n, 3, 40, 40) image, and mirror half of them."""
    n = len(images)
    top, left = torch.randint(0, 2 * PAD + 1, (2, n, 1), generator=rng, device=images.device)
    offsets = torch.arange(INPUT_SIZE, device=images.device)
    columns = torch.where(uniform(n, 0, 1, images, rng)[:, 0, 0] < 0.5, offsets, offsets.flip(0)) + left
    image_rows = torch.arange(n, device=images.device)[:, None, None, None]
    channels = torch.arange(3, device=images.device)[None, :, None, None]
    return images[image_rows, channels, (offsets + top)[:, None, :, None], columns[:, None, None, :]]


def blur_some(batch: Tensor, rng: torch.Generator) -> Tensor:
    """Shrink the first sixth to 8-20 pixels and back: what an enlarged small image looks like.

    The order of a batch is random already, so taking the first images is a random choice.
    """
    n = len(batch) // 6
    size = int(torch.randint(8, 21, (), generator=rng, device=batch.device))
    small = F.interpolate(batch[:n], size=(size, size), mode="bilinear", antialias=True)
    batch[:n] = F.interpolate(small, size=(INPUT_SIZE, INPUT_SIZE), mode="bilinear")
    return batch


def zoom_some(batch: Tensor, rng: torch.Generator) -> Tensor:
    """Turn, stretch and zoom a middle quarter by a random affine map."""
    part = batch[len(batch) // 8 : len(batch) * 3 // 8]
    n = len(part)
    angle = uniform(n, -0.3, 0.3, batch, rng)[:, 0, 0, 0]
    wide, high = (uniform(n, 0.6, 1.15, batch, rng)[:, 0, 0, 0] for _ in range(2))
    shift_x, shift_y = (uniform(n, -0.25, 0.25, batch, rng)[:, 0, 0, 0] for _ in range(2))
    first = torch.stack([wide * angle.cos(), -high * angle.sin(), shift_x], dim=1)
    second = torch.stack([wide * angle.sin(), high * angle.cos(), shift_y], dim=1)
    grid = F.affine_grid(torch.stack([first, second], dim=1), list(part.shape), align_corners=False)
    part.copy_(F.grid_sample(part, grid, padding_mode="reflection", align_corners=False))
    return batch


def recolour(batch: Tensor, rng: torch.Generator) -> Tensor:
    """Grey (15 %), brightness and contrast jitter (all), inversion (15 %)."""
    n = len(batch)
    grey = batch.mean(dim=1, keepdim=True)
    batch = torch.where(uniform(n, 0, 1, batch, rng) < 0.15, grey, batch)
    contrast, brightness = uniform(n, 0.7, 1.3, batch, rng), uniform(n, -0.15, 0.15, batch, rng)
    batch = ((batch - 0.5) * contrast + 0.5 + brightness).clamp_(0, 1)
    return torch.where(uniform(n, 0, 1, batch, rng) < 0.15, 1 - batch, batch)


def cut_out(batch: Tensor, rng: torch.Generator) -> Tensor:
    """Blank one 8-pixel square in half of the images (DeVries and Taylor 2017)."""
    n = len(batch)
    position = torch.arange(INPUT_SIZE, device=batch.device)
    top, left = (uniform(n, -4, INPUT_SIZE - 4, batch, rng)[:, 0, 0].round() for _ in range(2))
    inside_y, inside_x = ((position >= start) & (position < start + 8) for start in (top, left))
    chosen = uniform(n, 0, 1, batch, rng) < 0.5
    return batch.masked_fill(chosen & inside_y[:, None, :, None] & inside_x[:, None, None, :], 0.0)


if __name__ == "__main__":
    main()
