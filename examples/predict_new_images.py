"""Use the model of a finished project on images that it has never seen."""

import sys
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

from budgetal.engine.saved import load_model
from budgetal.simulate import simulate


def main(folder: Path) -> None:
    simulate("digits", folder, budget=120, tolerance=0.1)
    model = load_model(folder / "model")
    grey = np.rint(load_digits().images[:5] * (255 / 16)).astype(np.uint8)
    # Stand-ins for new images: digits moved down by one pixel. Shape (n, height, width, 3).
    images = np.repeat(np.roll(grey, 1, axis=1)[..., None], 3, axis=3)
    for probs in model.predict(images):
        print(f"{model.classes[int(probs.argmax())]} with confidence {probs.max():.2f}")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "runs/predict"))
