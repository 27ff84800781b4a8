"""LangChain's two SageMaker clients against a model that speaks as text generators do."""

from __future__ import annotations

import json
import warnings
from typing import TYPE_CHECKING, Any

import pytest

from tests.clients.account import IMAGE, Account, account, variant

with warnings.catch_warnings():
    # The package announces its end; what users have installed speaks as it does all the same.
    warnings.simplefilter("ignore")
    from langchain_community.llms import AmazonAPIGateway, SagemakerEndpoint
    from langchain_community.llms.sagemaker_endpoint import LLMContentHandler

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [
    pytest.mark.semantics("clients.langchain"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]

#: Answers with the words of the prompt in reverse: as a whole, or word by word as lines of JSON.
REVERSE = """
import json

def model_fn(model_dir):
    return None

def transform_fn(model, data, content_type, accept):
    asked = json.loads(data)
    if asked["inputs"] == "fail":
        raise ValueError("no words")
    words = asked["inputs"].split()[::-1]
    if asked.get("stream"):
        return (json.dumps({"outputs": [word + " "]}) + "\\n" for word in words), "application/jsonlines"
    return json.dumps([{"generated_text": " ".join(words)}]), "application/json"
"""


class Handler(LLMContentHandler):
    """The contents that the model takes and gives."""

    content_type = "application/json"
    accepts = "application/json"

    def transform_input(self, prompt: str, model_kwargs: dict[str, Any]) -> bytes:
        return json.dumps({"inputs": prompt, **model_kwargs}).encode()

    def transform_output(self, output: Any) -> str:
        return str(json.loads(output.read())[0]["generated_text"])


@pytest.fixture(scope="module")
def boto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    folder = tmp_path_factory.mktemp("langchain")
    with account(folder) as built:
        deploy(built, folder / "reverse")
        built.house.ok("PUT", "/v1/routes/reverse", json={"endpoint_name": "reverse"})
        yield built


def deploy(boto: Account, folder: Path) -> None:
    (folder / "code").mkdir(parents=True)
    (folder / "code" / "inference.py").write_text(REVERSE)
    container = {"Image": IMAGE, "ModelDataUrl": boto.push("reverse", folder)}
    boto.sagemaker.create_model(ModelName="reverse", PrimaryContainer=container)
    boto.config("reverse", variant(model="reverse"))
    boto.endpoint("reverse", "reverse")


def endpoint(boto: Account, **options: Any) -> Any:
    return SagemakerEndpoint(
        endpoint_name="reverse",
        region_name="us-east-1",
        client=boto.runtime,
        content_handler=Handler(),
        **options,
    )


@pytest.mark.parametrize("prefix", ["", "/prod"])
def test_the_api_gateways_client_reads_the_models_answer(boto: Account, prefix: str) -> None:
    model = AmazonAPIGateway(
        api_url=f"{boto.house.url}{prefix}/reverse", headers={"Authorization": boto.house.token}
    )
    assert model.invoke("one two three") == "three two one"


@pytest.mark.semantics("clients.error_shape")
def test_no_error_looks_like_an_answer_to_a_client_that_reads_no_status(boto: Account) -> None:
    """It takes the first of whatever list it gets: errors are objects, so that it stumbles."""
    asked = [
        ("/reverse", boto.house.token, "fail"),
        ("/reverse", "wrong", "one"),
        ("/nowhere", boto.house.token, "one"),
        ("/endpoints/none/invocations", boto.house.token, "one"),
    ]
    for path, token, prompt in asked:
        model = AmazonAPIGateway(api_url=boto.house.url + path, headers={"Authorization": token})
        with pytest.raises(ValueError, match="Error raised by the service"):
            model.invoke(prompt)


def test_the_endpoints_client_invokes_through_boto3(boto: Account) -> None:
    assert endpoint(boto).invoke("one two three") == "three two one"
    assert endpoint(boto).invoke("one two three", stop=["two"]) == "three "


def test_the_endpoints_client_streams_word_by_word(boto: Account) -> None:
    from langchain_core.callbacks import BaseCallbackHandler

    class Heard(BaseCallbackHandler):
        def __init__(self) -> None:
            self.words: list[str] = []

        def on_llm_new_token(self, token: str, **_: Any) -> None:
            self.words.append(token)

    heard = Heard()
    model = endpoint(boto, streaming=True, model_kwargs={"stream": True})
    assert model.invoke("one two three", config={"callbacks": [heard]}) == "three two one "
    assert heard.words == ["three ", "two ", "one "]


def test_a_models_error_is_raised_with_its_words(boto: Account) -> None:
    with pytest.raises(ValueError, match="no words"):
        endpoint(boto).invoke("fail")
