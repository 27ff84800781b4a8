import pytest

from parkade.domain.errors import InvalidInput
from parkade.runtime import images

KINDS = {"script", "server"}


@pytest.mark.parametrize(
    "image",
    [
        "sagemaker-scikit-learn",
        "pytorch-inference",
        "huggingface-pytorch-inference",
        "sagemaker-scikit-learn:1.2-1",
        "763104351884.dkr.ecr.eu-west-1.amazonaws.com/pytorch-inference:2.1-cpu-py310",
        "763104351884.dkr.ecr.eu-west-1.amazonaws.com/tensorflow-inference:2.14",
        "763104351884.dkr.ecr.us-east-1.amazonaws.com/huggingface-pytorch-tgi-inference:2.0",
        "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3",
    ],
)
def test_framework_images_are_played_by_the_script_container(image):
    assert images.player(image, {}, KINDS) == "script"


def test_own_patterns_go_before_the_built_in_ones():
    patterns = {"*/pytorch-inference:mine": "server", "acme/*": "script"}
    assert images.player("somewhere/pytorch-inference:mine", patterns, KINDS) == "server"
    assert images.player("somewhere/pytorch-inference:other", patterns, KINDS) == "script"
    assert images.player("acme/anything:3", patterns, KINDS) == "script"


def test_an_unknown_image_is_told_what_is_known():
    with pytest.raises(InvalidInput, match="no container is known for the image 'nginx'") as caught:
        images.player("nginx", {"acme/*": "script"}, KINDS)
    assert caught.value.field == "Image"
    for word in ("acme/*", "huggingface-*", "`images` in server.yaml", "'nginx': script"):
        assert word in caught.value.hint


def test_a_pattern_that_names_no_container_is_refused():
    with pytest.raises(InvalidInput, match=r"maps 'acme/\*' to 'scirpt'") as caught:
        images.player("acme/a", {"acme/*": "scirpt"}, KINDS)
    assert caught.value.hint == "containers are: script, server"
