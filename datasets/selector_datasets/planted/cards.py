"""Cards of the planted sets: what is planted, and which family should win."""

from __future__ import annotations

from typing import Any

SERIES: tuple[str, str] = ("arrays", "sequential")
IMAGES: tuple[str, str] = ("arrays", "grid")
CLIPS: tuple[str, str] = ("arrays", "sequential-grid")
TABLE: tuple[str, str] = ("CSV", "tabular")


def _card(
    title: str,
    description: str,
    winner: str,
    why: str,
    form: tuple[str, str] = SERIES,
    n_train: int = 1200,
    n_test: int = 600,
    task: str = "classification",
) -> dict[str, Any]:
    return {
        "title": title,
        "description": description,
        "source": "made by selector_datasets.planted",
        "licence": "CC0 1.0",
        "citation": "",
        "form": form[0],
        "kind": form[1],
        "task": task,
        "target": "target" if form is TABLE else "y",
        "n_train": n_train,
        "n_test": n_test,
        "winner": winner,
        "why": why,
    }


CARDS: dict[str, dict[str, Any]] = {
    "last_command": _card(
        "The last command wins",
        "The class is the last of two to six sparse commands in noisy steps.",
        "rnn",
        "A recurrent network overwrites its state at each command; a convolution that pools over "
        "time loses which came last.",
    ),
    "state_tracking": _card(
        "The state of a switch",
        "Sparse symbols turn a switch on, off or over; the class is its state at the end.",
        "rnn",
        "A recurrent network steps the switch along; counts of symbols say nothing, and what "
        "does not commute cannot be pooled.",
        n_train=1600,
    ),
    "local_motif": _card(
        "A motif somewhere",
        "Which of two motifs, one the reverse of the other, lies somewhere in noise.",
        "cnn",
        "A convolution is a matched filter that does not care where.",
    ),
    "motif_2d": _card(
        "A shape somewhere in an image",
        "Which of two small shapes, one the mirror image of the other, lies in a noisy image.",
        "cnn",
        "A two-dimensional convolution is a matched filter that does not care where; a network "
        "that reads rows meets the shape at every column anew. A hybrid holds the same filters, "
        "at a higher cost.",
        IMAGES,
    ),
    "motif_order": _card(
        "Which motif comes first",
        "Two noisy motifs occur in every series; the class is their order.",
        "hybrid or rnn",
        "Finding the motifs takes local filters, their order takes memory.",
    ),
    "digit_order": _card(
        "Does the row of digits ascend",
        "Three or four handwritten digits in a row; is the last larger than the first?",
        "hybrid",
        "Reading digits takes two-dimensional filters, shared by all places; comparing the first "
        "with the last takes memory.",
        IMAGES,
        n_train=1500,
    ),
    "moving_shapes": _card(
        "Moving shapes",
        "Clips of a shape; the class is whether it moves left, right, up or down.",
        "cnn or hybrid",
        "A frame alone says nothing: what tells is how it compares with the next, wherever "
        "the shape is.",
        CLIPS,
        n_train=1000,
        n_test=500,
    ),
    "thresholds": _card(
        "Thresholds and interactions",
        "Independent columns; the class follows from comparisons on five of them.",
        "tabular",
        "The columns have no order to be read; trees are made of thresholds.",
        TABLE,
        n_train=1500,
    ),
    "thresholds_permuted": _card(
        "Thresholds, the columns permuted",
        "36 columns of one scale in any order, which look like series or images and are a table.",
        "tabular",
        "The columns have no order to be read; trees are made of thresholds.",
        TABLE,
        n_train=1500,
    ),
    "adding": _card(
        "The adding problem",
        "The sum of the two values of a series that the second channel marks.",
        "rnn or cnn",
        "A recurrent network carries the sum along; a convolution can gate each value by its "
        "mark and pool. Both can be exact.",
        n_train=2000,
        task="regression",
    ),
    "noise": _card(
        "Noise",
        "The labels are independent of the data.",
        "baseline",
        "There is nothing to be learnt.",
    ),
    "weak_signal": _card(
        "A weak signal",
        "Two normal classes so close that the best classifier has an AUC of .65.",
        "tabular",
        "One direction in space is all there is; it is more than nothing.",
        TABLE,
        n_train=1000,
    ),
}
