"""The sample with a real Falcon and a real T5, tiny and randomly initialised, made here."""

import json
import shutil
from pathlib import Path

import pytest

from parkade.apps.cli.cases import run
from tests.runtime.container.harness import a_container

pytestmark = pytest.mark.text_generation

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

SAMPLE = Path(__file__).parents[2] / "examples" / "text-generation"
TEXTS = [
    "Write a program to compute factorial in python:",
    "write a story about beautiful weather on a tropical island.",
    "The quick brown fox jumps over the lazy dog, and the dog sleeps on.",
]
FALCON_PROMPT = TEXTS[0]
FLAN_PROMPT = TEXTS[1]


def a_tokenizer():
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=["<pad>", "</s>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(TEXTS, trainer)
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="<pad>", eos_token="</s>"
    )


def a_falcon(vocabulary):
    config = transformers.FalconConfig(
        vocab_size=vocabulary,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=256,
        bos_token_id=1,
        eos_token_id=1,
        pad_token_id=0,
    )
    return transformers.FalconForCausalLM(config)


def a_t5(vocabulary):
    config = transformers.T5Config(
        vocab_size=vocabulary,
        d_model=32,
        d_kv=8,
        d_ff=64,
        num_layers=2,
        num_heads=4,
        decoder_start_token_id=0,
        pad_token_id=0,
        eos_token_id=1,
    )
    return transformers.T5ForConditionalGeneration(config)


def a_folder(folder, make):
    shutil.copytree(SAMPLE, folder, ignore=shutil.ignore_patterns("__pycache__"))
    tokenizer = a_tokenizer()
    torch.manual_seed(7)
    make(len(tokenizer)).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def falcon_folder(tmp_path_factory):
    return a_folder(tmp_path_factory.mktemp("falcon") / "model", a_falcon)


@pytest.fixture(scope="module")
def t5_folder(tmp_path_factory):
    return a_folder(tmp_path_factory.mktemp("t5") / "model", a_t5)


@pytest.fixture(scope="module")
def falcon(falcon_folder):
    with a_container(falcon_folder, env={"HF_HUB_OFFLINE": "1"}) as container:
        yield container


@pytest.fixture(scope="module")
def t5(t5_folder):
    with a_container(t5_folder, env={"HF_HUB_OFFLINE": "1"}) as container:
        yield container


@pytest.fixture(params=["falcon", "t5"])
def either(request):
    return request.getfixturevalue(request.param)


def test_falcon_continues_its_prompt(falcon, falcon_folder):
    """The answer is the one that transformers itself gives for this folder."""
    reply = falcon.invoke({"inputs": FALCON_PROMPT, "parameters": {"max_new_tokens": 8}})
    assert reply.status == 200
    tokenizer = transformers.AutoTokenizer.from_pretrained(falcon_folder)
    model = transformers.AutoModelForCausalLM.from_pretrained(falcon_folder).eval()
    tokens = tokenizer(FALCON_PROMPT, return_tensors="pt")["input_ids"]
    output = model.generate(tokens, max_new_tokens=8, do_sample=False)
    expected = tokenizer.decode(output[0, tokens.shape[-1] :], skip_special_tokens=True)
    assert reply.json == [{"generated_text": expected}]
    assert expected


def test_t5_answers_its_prompt(t5, t5_folder):
    request = {"text_inputs": FLAN_PROMPT, "max_length": 50, "temperature": 0.0, "seed": 321}
    reply = t5.invoke(request)
    assert reply.status == 200
    tokenizer = transformers.AutoTokenizer.from_pretrained(t5_folder)
    model = transformers.AutoModelForSeq2SeqLM.from_pretrained(t5_folder).eval()
    tokens = tokenizer(FLAN_PROMPT, return_tensors="pt")["input_ids"]
    output = model.generate(tokens, max_new_tokens=50, do_sample=False)
    assert reply.json == {
        "generated_texts": [tokenizer.decode(output[0], skip_special_tokens=True)]
    }


def test_either_model_answers_either_form(either):
    falcon_form = either.invoke({"inputs": FALCON_PROMPT}).json
    flan_form = either.invoke({"text_inputs": FALCON_PROMPT, "max_length": 60}).json
    assert list(falcon_form[0]) == ["generated_text"]
    assert list(flan_form) == ["generated_texts"]
    assert all(isinstance(text, str) for text in flan_form["generated_texts"])


def test_the_full_text_begins_with_the_prompt(falcon):
    parameters = {"max_new_tokens": 5}
    (short,) = falcon.invoke({"inputs": FALCON_PROMPT, "parameters": parameters}).json
    parameters["return_full_text"] = True
    (whole,) = falcon.invoke({"inputs": FALCON_PROMPT, "parameters": parameters}).json
    assert whole["generated_text"] == FALCON_PROMPT + short["generated_text"]


def test_the_same_seed_gives_the_same_texts_and_another_seed_others(either):
    def ask(seed):
        request = {"text_inputs": FLAN_PROMPT, "max_length": 60, "temperature": 1.0}
        return either.invoke({**request, "seed": seed, "num_return_sequences": 3}).json

    first = ask(1)
    assert len(first["generated_texts"]) == 3
    assert ask(2) != first
    assert ask(1) == first


def test_a_seed_rules_its_own_request_only(either):
    def ask(**seed):
        request = {"text_inputs": FLAN_PROMPT, "max_length": 60, "temperature": 1.0}
        return either.invoke({**request, **seed}).json["generated_texts"]

    after = []
    for _ in range(2):
        ask(seed=5)
        after.append(ask())
    assert after[0] != after[1]


def test_greedy_answers_can_be_several(either):
    request = {"text_inputs": FLAN_PROMPT, "max_length": 60, "num_return_sequences": 3}
    assert len(either.invoke(request).json["generated_texts"]) == 3


def test_top_k_of_one_is_the_greedy_answer(either):
    request = {"inputs": FALCON_PROMPT, "parameters": {"max_new_tokens": 6}}
    greedy = either.invoke(request).json
    request["parameters"] |= {"do_sample": True, "top_k": 1, "top_p": 0.5}
    assert either.invoke(request).json == greedy


@pytest.mark.parametrize(
    ("request_body", "reason"),
    [
        ({"inputs": FALCON_PROMPT, "parameters": {"max_new_tokens": 0}}, "max_new_tokens 0"),
        ({"inputs": FALCON_PROMPT, "parameters": {"temprature": 1}}, "'temprature' is not known"),
        ({"text_inputs": "", "max_length": 5}, "text_inputs is not a text"),
        ({"prompt": "a"}, "send "),
    ],
)
def test_a_bad_request_is_400_with_its_reason(either, request_body, reason):
    reply = either.invoke(request_body)
    assert reply.status == 400
    assert reply.json["error"].startswith(reason)


def test_a_prompt_that_leaves_no_room_is_400(falcon):
    reply = falcon.invoke({"text_inputs": FLAN_PROMPT, "max_length": 2})
    assert reply.status == 400
    assert "leaves no room" in reply.json["error"]
    reply = falcon.invoke({"inputs": FLAN_PROMPT, "parameters": {"max_new_tokens": 4096}})
    assert reply.status == 400
    assert "more than the model's 256" in reply.json["error"]


def test_another_content_type_is_415(either):
    assert either.invoke(b"text", "text/plain").status == 415


def test_its_own_cases_run_in_this_process(falcon_folder, tmp_path):
    (falcon_folder / "test").mkdir()
    file = falcon_folder / "test" / "input_data.json"
    case = {"id": "falcon", "input": {"inputs": FALCON_PROMPT}, "expected": []}
    file.write_text(json.dumps([case]))
    (first,) = run(falcon_folder, {}, tmp_path)
    assert not first.passed
    file.write_text(json.dumps([{**case, "expected": json.loads(first.text)}]))
    (again,) = run(falcon_folder, {}, tmp_path)
    assert again.passed
