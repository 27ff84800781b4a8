"""What the scripts of this folder have in common: the names, and rows to ask about."""

from pathlib import Path

FOLDER = Path(__file__).parent
#: Where the archives are made.
MODELS = FOLDER / "models"

BUCKET = "many-models"
PREFIX = "models/"
#: One name for the model, the endpoint config and the endpoint.
NAME = "many-models"
#: Plays the container: Parkade knows the names of the public framework images.
IMAGE = "sagemaker-scikit-learn"
ROLE = "arn:aws:iam::000000000000:role/many-models"

#: For each model two rows of its data, with the classes that they are of.
ROWS = {
    "iris.tar.gz": (
        [[5.1, 3.5, 1.4, 0.2], [6.3, 3.3, 6.0, 2.5]],
        ["setosa", "virginica"],
    ),
    "wine.tar.gz": (
        [
            [14.23, 1.71, 2.43, 15.6, 127, 2.8, 3.06, 0.28, 2.29, 5.64, 1.04, 3.92, 1065],
            [13.71, 5.65, 2.45, 20.5, 95, 1.68, 0.61, 0.52, 1.06, 7.7, 0.64, 1.74, 740],
        ],
        ["class_0", "class_2"],
    ),
}
