"""Train the classifier on data/sentences.csv and write model.joblib beside this script.

    python train.py            # features are parts of words
    python train.py --words    # features are words: a second model to compare with

Prints the accuracy on the held-out sentences, which the classifier has not seen. C and the n-gram
range were chosen by cross-validation on the training part.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

import joblib
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline

FOLDER = Path(__file__).parent


def sentences(split: str) -> tuple[list[str], list[int]]:
    """Return the sentences of one part of the data, and their labels."""
    with (FOLDER / "data" / "sentences.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["split"] == split]
    return [row["sentence"] for row in rows], [int(row["label"]) for row in rows]


def classifier(*, words: bool) -> Pipeline:
    """Parts of words carry over to the many words that 500 sentences do not hold."""
    if words:
        features = TfidfVectorizer(ngram_range=(1, 2), stop_words="english", sublinear_tf=True)
    else:
        features = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), sublinear_tf=True)
    return make_pipeline(features, LogisticRegression(C=10, max_iter=1000))


def main() -> None:
    """Train, measure, write."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--words", action="store_true", help="words in place of their parts")
    model = classifier(words=options.parse_args().words).fit(*sentences("train"))
    texts, labels = sentences("held-out")
    accuracy = model.score(texts, labels)
    joblib.dump(model, FOLDER / "model.joblib", compress=3)
    print(f"held-out accuracy: {accuracy:.3f} on {len(texts)} sentences")


if __name__ == "__main__":
    main()
