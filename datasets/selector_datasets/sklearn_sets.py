"""The small data sets that scikit-learn ships."""

from __future__ import annotations

from typing import Any

import numpy as np

from selector_datasets.files import Samples

_SOURCE = "scikit-learn (BSD-3-Clause), from the UCI machine learning repository"

CARDS: dict[str, dict[str, Any]] = {
    "iris": {
        "title": "Iris flowers",
        "description": "Length and width of sepals and petals of three species.",
        "source": _SOURCE,
        "licence": "CC BY 4.0",
        "citation": "R. A. Fisher, The use of multiple measurements in taxonomic problems, 1936.",
        "form": "CSV",
        "kind": "tabular",
        "task": "classification",
        "target": "target",
        "n_train": 150,
        "n_test": 0,
    },
    "wine": {
        "title": "Wines of three cultivars",
        "description": "13 chemical measurements of wines from one region of Italy.",
        "source": _SOURCE,
        "licence": "CC BY 4.0",
        "citation": "M. Forina et al., PARVUS, Genoa, 1988.",
        "form": "CSV",
        "kind": "tabular",
        "task": "classification",
        "target": "target",
        "n_train": 178,
        "n_test": 0,
    },
    "breast_cancer": {
        "title": "Breast cancer, Wisconsin (diagnostic)",
        "description": "30 measurements of cell nuclei; malignant or benign.",
        "source": _SOURCE,
        "licence": "CC BY 4.0",
        "citation": "W. N. Street, W. H. Wolberg and O. L. Mangasarian, 1993.",
        "form": "CSV",
        "kind": "tabular",
        "task": "classification",
        "target": "target",
        "n_train": 569,
        "n_test": 0,
    },
    "diabetes": {
        "title": "Progression of diabetes",
        "description": "Ten measurements; the target is the disease's progression after a year.",
        "source": "scikit-learn (BSD-3-Clause), from the authors of the paper",
        "licence": "free to use, cite the paper",
        "citation": "B. Efron et al., Least angle regression, Annals of Statistics 32, 2004.",
        "form": "CSV",
        "kind": "tabular",
        "task": "regression",
        "target": "target",
        "n_train": 442,
        "n_test": 0,
    },
    "digits": {
        "title": "Handwritten digits of 8 × 8 pixels",
        "description": "Grey images with values from 0 to 16, ten classes.",
        "source": _SOURCE,
        "licence": "CC BY 4.0",
        "citation": "E. Alpaydin and C. Kaynak, Cascading classifiers, Kybernetika 34, 1998.",
        "form": "arrays",
        "kind": "grid",
        "task": "classification",
        "target": "y",
        "n_train": 1797,
        "n_test": 0,
        "published_ranges": {"k-NN or SVM": [0.98, 0.99], "CNN": [0.99, 0.99]},
    },
}


def load(name: str) -> Samples:
    """Return a data set of scikit-learn; class labels of tables are names."""
    from sklearn import datasets

    bunch = getattr(datasets, f"load_{name}")()
    if name == "digits":
        return Samples(bunch.images.astype(np.uint8), bunch.target.astype(np.int64))
    y = bunch.target
    if CARDS[name]["task"] == "classification":
        y = np.asarray(bunch.target_names)[y]
    return Samples(bunch.data, y, tuple(str(n) for n in bunch.feature_names))
