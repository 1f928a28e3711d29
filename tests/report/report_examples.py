"""A realistic report to test and look at: invented numbers, scikit-learn's digits."""

import functools
import math

import numpy as np
from sklearn.datasets import load_digits

from budgetal.report import ClassRow, Picture, ReportData, RoundRow
from budgetal.report.pictures import picture
from budgetal.types import EpochRecord, Quarantined

IMAGES = load_digits().images
DIGITS = tuple(str(digit) for digit in range(10))


def epochs(number: int) -> tuple[EpochRecord, ...]:
    return tuple(
        EpochRecord(e, 2.3 * math.exp(-0.25 * e) + 0.05 + 0.3 / (number + 1), 1 - 0.6 * math.exp(-0.4 * e))
        for e in range(1, 16)
    )


def round_row(number: int) -> RoundRow:
    n_human = 80 + 10 * number
    accuracy = 0.97 - 0.42 * math.exp(-0.5 * number)
    n_auto = 0 if number < 2 else min(1204, 420 + 160 * (number - 2))
    return RoundRow(
        round=number,
        n_human=n_human,
        n_auto=n_auto,
        coverage=(n_human + n_auto) / 1797,
        train_loss=0.9 * math.exp(-0.3 * number) + 0.08,
        audit_accuracy=accuracy,
        test_accuracy=accuracy - 0.012,
        upper_bound=None if number < 2 else 0.05 - 0.0003 * number,
        spent=float(n_human),
        seconds=3.4 + number,
        n_taken_back=max(0, 9 - 2 * number),
        epochs=epochs(number),
        n_audit=66,
    )


def digit(row: int, caption: str) -> Picture:
    grey = (IMAGES[row] * 255 / 16).astype(np.uint8)
    return picture(np.repeat(grey[:, :, None], 3, axis=2), caption)


def confusion(n_classes: int = 10) -> np.ndarray:
    counts = np.diag(np.full(n_classes, 6))
    counts[3, 8 % n_classes] += 2
    counts[1, 7 % n_classes] += 1
    return counts


def example_summary() -> dict:
    return {
        "n_samples": 1797,
        "n_human_labels": 150,
        "n_audit_labels": 66,
        "n_auto_labels": 1204,
        "n_unlabelled": 443,
        "auto_label_error_true": 0.0133,
        "dataset_accuracy_true": 0.9613,
        "test_accuracy": 0.9556,
        "certificate": {
            "tolerance": 0.05,
            "risk": 0.05,
            "upper_bound": 0.048,
            "n_audit": 66,
            "errors": 0,
            "threshold": 0.91,
        },
        "rounds": [],
        "seconds_total": 71.3,
        "peak_memory_mb": 812.4,
        "seed": 0,
        "versions": {"budgetal": "0.1.0", "torch": "2.13.0"},
        "budget": 150,
        "classes": list(DIGITS),
        "n_quarantined": 2,
        "stop_reason": "the budget is spent",
    }


@functools.cache
def example_report() -> ReportData:
    numbers = np.random.default_rng(0)
    return ReportData(
        title="Handwritten digits",
        summary=example_summary(),
        rounds=tuple(round_row(number) for number in range(8)),
        classes=DIGITS,
        confusion=confusion(),
        class_rows=tuple(ClassRow(name, 15, 120, 7, 7 - (name in "38")) for name in DIGITS),
        asked=tuple(
            (
                f"Round {r}: 10 images",
                tuple(digit(10 * r + i, f"{i} · entropy 0.{90 - i}") for i in range(10)),
            )
            for r in range(8)
        ),
        least_confident=tuple(
            digit(int(row), f"{row % 10} · auto · 91.{i} %") for i, row in enumerate(numbers.integers(0, 1797, 30))
        ),
        near_duplicates=tuple(
            (digit(3 * i, f"scan/{i}.png"), digit(3 * i + 500, f"scan/{i} (copy).png"), 0.998 - 0.01 * i)
            for i in range(5)
        ),
        exact_duplicates=3,
        quarantined=(
            Quarantined("scan/0412.png", "truncated: 3,120 of 8,004 bytes"),
            Quarantined("scan/notes.txt", "not an image"),
        ),
        settings={
            "images": "digits",
            "backbone": "embedded",
            "strategy": "informative",
            "budget": "150",
        },
    )
