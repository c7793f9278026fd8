"""Payloads of the tasks, as the documentation of each task has them.

https://huggingface.co/docs/inference-providers/tasks, read in November 2026; for what is no longer there, the schemas
of https://github.com/huggingface/huggingface.js/tree/main/packages/tasks/src/tasks.
"""

import base64
import json

import pytest

from sre_core.components.llm.hugging_face_tasks import TASKS, make_payload, match_inputs
from sre_core.errors import ComponentError
from sre_core.messages import File

FILE = File(name="x.png", media_type="image/png", data=b"\x89PNG")
PACKED = base64.b64encode(FILE.data).decode()
TABLE = {"city": ["Graz", "Linz"], "people": ["1", "2"]}
TEXT_TASKS = [
    "feature-extraction",
    "fill-mask",
    "summarization",
    "text-classification",
    "text-generation",
    "text-to-image",
    "text-to-speech",
    "token-classification",
    "translation",
]
FILE_TASKS = [
    "audio-classification",
    "audio-to-audio",
    "automatic-speech-recognition",
    "image-classification",
    "image-segmentation",
    "image-to-image",
    "image-to-text",
    "object-detection",
]


def payload(task, inputs, **parameters):
    found, rest = match_inputs(TASKS[task], inputs)
    made = make_payload(TASKS[task], found, {**parameters, **rest})
    return json.loads(made.data) if made.media_type == "application/json" else made


def test_there_are_26():
    assert len(TASKS) == 26


@pytest.mark.parametrize("task", TEXT_TASKS)
def test_a_text_is_the_input(task):
    assert payload(task, {"Text": 'a "b" {{KEY(x)}}'}) == {"inputs": 'a "b" {{KEY(x)}}'}


@pytest.mark.parametrize("task", FILE_TASKS)
def test_a_file_alone_is_sent_as_it_is_and_with_parameters_packed(task):
    name = "Audio" if task.startswith("au") else "Image"
    made = payload(task, {name: FILE})
    assert (made.data, made.media_type) == (FILE.data, "image/png")
    assert payload(task, {name: FILE}, top_k=2) == {"inputs": PACKED, "parameters": {"top_k": 2}}


@pytest.mark.parametrize(
    ("task", "inputs", "expected"),
    [
        (
            "question-answering",
            {"Question": "Who?", "Context": "Ann."},
            {"inputs": {"question": "Who?", "context": "Ann."}},
        ),
        (
            "table-question-answering",
            {"Query": "Where?", "Table": TABLE},
            {"inputs": {"query": "Where?", "table": TABLE}},
        ),
        (
            "table-question-answering",
            {"question": "Where?", "table": json.dumps(TABLE)},
            {"inputs": {"query": "Where?", "table": TABLE}},
        ),
        ("tabular-classification", {"Table": TABLE}, {"inputs": {"table": TABLE}}),
        ("tabular-regression", {"Data": TABLE}, {"inputs": {"table": TABLE}}),
        (
            "sentence-similarity",
            {"Source_sentence": "a", "Sentences": '["b, c", "d"]'},
            {"inputs": {"source_sentence": "a", "sentences": ["b, c", "d"]}},
        ),
        (
            "sentence-similarity",
            {"sourceSentence": "a", "Sentences": "b, c\nd\n"},
            {"inputs": {"source_sentence": "a", "sentences": ["b, c", "d"]}},
        ),
        (
            "zero-shot-classification",
            {"Text": "t", "Candidate_Labels": "refund, legal"},
            {"inputs": "t", "parameters": {"candidate_labels": ["refund", "legal"]}},
        ),
        (
            "zero-shot-image-classification",
            {"Image": FILE, "Labels": ["cat", "dog"]},
            {"inputs": PACKED, "parameters": {"candidate_labels": ["cat", "dog"]}},
        ),
        (
            "visual-question-answering",
            {"Image": FILE, "Question": "What?"},
            {"inputs": {"image": PACKED, "question": "What?"}},
        ),
        (
            "document-question-answering",
            {"Image": FILE, "Question": "What?"},
            {"inputs": {"image": PACKED, "question": "What?"}},
        ),
        ("image-to-image", {"Image": FILE, "Prompt": "blue"}, {"inputs": PACKED, "parameters": {"prompt": "blue"}}),
    ],
)
def test_other_tasks(task, inputs, expected):
    assert payload(task, inputs) == expected


def test_parameters_of_feature_extraction_stand_beside_the_inputs():
    assert payload("feature-extraction", {"Text": "t"}, normalize=True) == {"inputs": "t", "normalize": True}


def test_inputs_that_a_task_does_not_know_are_parameters():
    found = payload("translation", {"Text": "t", "src_lang": "de", "tgt_lang": None}, tgt_lang="en")
    assert found == {"inputs": "t", "parameters": {"src_lang": "de", "tgt_lang": "en"}}


def test_a_task_of_one_input_takes_the_one_that_there_is():
    assert payload("summarization", {"Article": "t"}) == {"inputs": "t"}


@pytest.mark.parametrize(
    ("task", "inputs", "missing"),
    [
        ("question-answering", {"Question": "Who?"}, "context"),
        ("summarization", {}, "text"),
        ("summarization", {"Text": None}, "text"),
        ("summarization", {"a": "t", "b": "u"}, "text"),
    ],
)
def test_an_input_that_is_missing_is_named(task, inputs, missing):
    with pytest.raises(ComponentError, match=missing):
        payload(task, inputs)


def test_a_table_that_is_no_json_is_an_error():
    with pytest.raises(ComponentError):
        payload("tabular-regression", {"Table": "no table"})


def test_what_is_no_text_becomes_json_where_text_is_wanted():
    assert payload("summarization", {"Text": {"a": [1]}}) == {"inputs": '{"a":[1]}'}
