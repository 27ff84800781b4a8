"""Train two small classifiers and pack each as an archive with its script.

python make_models.py
"""

import io
import json
import tarfile
import tempfile
from pathlib import Path

import joblib
from samples import FOLDER, MODELS
from sklearn.datasets import load_iris, load_wine
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler


def main() -> None:
    """Write models/iris.tar.gz and models/wine.tar.gz."""
    MODELS.mkdir(exist_ok=True)
    for name, load in (("iris", load_iris), ("wine", load_wine)):
        data = load()
        classifier = make_pipeline(StandardScaler(), LogisticRegression())
        classifier.fit(data.data, data.target)
        path = MODELS / f"{name}.tar.gz"
        pack(path, classifier, [str(each) for each in data.target_names])
        print(f"{path}: {path.stat().st_size:,} bytes")


def pack(path: Path, classifier: object, classes: list[str]) -> None:
    """Pack the classifier with the names of its classes and the script."""
    with tempfile.TemporaryDirectory() as folder, tarfile.open(path, "w:gz") as tar:
        joblib.dump(classifier, Path(folder) / "model.joblib")
        tar.add(Path(folder) / "model.joblib", "model.joblib")
        tar.add(FOLDER / "code" / "inference.py", "code/inference.py")
        text = json.dumps(classes).encode()
        member = tarfile.TarInfo("classes.json")
        member.size = len(text)
        tar.addfile(member, io.BytesIO(text))


if __name__ == "__main__":
    main()
