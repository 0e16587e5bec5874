"""Scores the forest fixtures with scikit-learn's IsolationForest, for the benchmark `forest` to compare with.

    pip install scikit-learn==1.9.1
    node bench/forest/export.ts | python bench/forest/scikit-learn.py > bench/forest/scikit-learn.json

Reads the fixtures as JSON, trains on each with ten seeds and prints the area under the precision-recall curve (average
precision), with the digest of the data it is for.
"""

import json
import sys

import numpy
import sklearn
from sklearn.ensemble import IsolationForest
from sklearn.metrics import average_precision_score

PARAMETERS = {"n_estimators": 100, "max_samples": "auto"}
FOREST_SEEDS = list(range(10))


def matrix(values, columns):
    return numpy.array(values, dtype=numpy.float32).reshape(-1, columns)


def areas(fixture):
    train = matrix(fixture["train"], fixture["columns"])
    test = matrix(fixture["test"], fixture["columns"])
    for seed in FOREST_SEEDS:
        forest = IsolationForest(random_state=seed, **PARAMETERS).fit(train)
        yield round(float(average_precision_score(fixture["labels"], -forest.score_samples(test))), 5)


told = json.load(sys.stdin)
results = [
    {"name": fixture["name"], "seed": fixture["seed"], "averagePrecision": list(areas(fixture))}
    for fixture in told["fixtures"]
]
json.dump(
    {
        "by": f"scikit-learn {sklearn.__version__}, sklearn.ensemble.IsolationForest",
        "parameters": {**PARAMETERS, "random_state": FOREST_SEEDS},
        "digest": told["digest"],
        "results": results,
    },
    sys.stdout,
    indent=1,
)
sys.stdout.write("\n")
