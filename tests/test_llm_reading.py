"""What bodies, streams and texts of models say, read without a server: thinking, objects, repairs, errors, redaction."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from llm_world import OBJECT, SECRET, Complaint
from pydantic import BaseModel, Field

from consult.actions import Conclude
from consult.agents.llm.moves import action_of, schema_of
from consult.llm.base import Answer, Enforced, Outcome, Usage
from consult.llm.errors import CallError, Kind
from consult.llm.redact import HIDDEN, redact, without
from consult.llm.structured import again, read, weaker, with_schema
from consult.llm.wire import Pieces, answer_of, failure, parted, retry_after

_NAMES = st.sampled_from(
    ("choices", "message", "delta", "content", "finish_reason", "usage", "refusal", "text", "error")
)
GOOD = '{"site": "chest", "days": 14}'


@pytest.mark.parametrize(
    ("text", "said", "thought"),
    [
        ("It hurts.", "It hurts.", ""),
        ("<think>a</think>It hurts.", "It hurts.", "a"),
        ("\n<thinking>\na\nb</thinking>\n\nIt hurts.", "It hurts.", "a\nb"),
        ("a, so</think>It hurts.", "It hurts.", "a, so"),
        ("<think>a, so", "", "a, so"),
        ("If it is < 3 I go home.", "If it is < 3 I go home.", ""),
        ("I say <think> aloud.", "I say <think> aloud.", ""),
    ],
)
def test_thinking_is_kept_apart(text: str, said: str, thought: str) -> None:
    assert parted(text) == (said, thought)


@pytest.mark.parametrize(
    ("text", "repairs"),
    [
        (GOOD, ()),
        (f"\n {GOOD}\n", ()),
        (f"```json\n{GOOD}\n```", ("fence",)),
        (f"```\n{GOOD}```", ("fence",)),
        (f"Here you are: {GOOD}. I hope it helps {{really}}.", ("first_object",)),
        (f"{{so}} {GOOD}", ("first_object",)),
        (f"```python\nprint()\n``` {GOOD}", ("first_object",)),
    ],
)
def test_objects_are_found_and_what_was_mended_is_said(text: str, repairs: tuple[str, ...]) -> None:
    found = read(Answer(text), Complaint)
    assert (found.outcome, found.repairs) == (Outcome.OK, repairs)
    assert found.value == Complaint(site="chest", days=14)


@pytest.mark.parametrize(
    ("text", "finish", "outcome", "words"),
    [
        ("I have no idea.", "stop", Outcome.INVALID, "Invalid JSON"),
        ('{"site": "chest"}', "stop", Outcome.INVALID, "days: Field required"),
        ('Well: {"site": 1, "days": 2}', "stop", Outcome.INVALID, "site: Input should be a valid string"),
        ("[1, 2]", "stop", Outcome.INVALID, "the answer: Input should be an object"),
        ('{"site": "chest", "da', "length", Outcome.TRUNCATED, "cut"),
        (GOOD, "length", Outcome.OK, ""),
        ("I'm sorry, but I can't help with that.", "stop", Outcome.REFUSED, "sorry"),
        ('I\'m sorry: {"site": 3}', "stop", Outcome.INVALID, "days"),
        ("", "stop", Outcome.EMPTY, "nothing"),
        ("", "length", Outcome.TRUNCATED, "nothing"),
        (GOOD, "content_filter", Outcome.FILTERED, "filter"),
    ],
)
def test_what_is_no_object_has_its_outcome(text: str, finish: str, outcome: Outcome, words: str) -> None:
    found = read(Answer(text, finish=finish), Complaint)
    assert found.outcome is outcome
    assert words in found.problem


def test_a_doctor_who_is_sorry_has_not_refused() -> None:
    assert read(Answer("I'm sorry, I can't prescribe that today."), None).outcome is Outcome.OK


def test_numeric_bounds_are_checked_by_us() -> None:
    class Sure(BaseModel):
        confidence: float = Field(ge=0, le=1)

    assert read(Answer('{"confidence": 50}'), Sure).problem.startswith("confidence: Input should be less")


@given(
    st.text(alphabet="{}[]\"':,`<>/ \nabthink01\x00\ud800é", max_size=200)
    | st.sampled_from(["{" * 9000, "[" * 9000, '{"a":' * 9000])
)
def test_no_text_breaks_the_reading(text: str) -> None:
    found = read(Answer(text), Complaint)
    assert found.outcome in Outcome
    assert (found.value is not None) is (found.outcome is Outcome.OK)
    assert "\n" not in found.problem


def test_no_value_of_the_model_stands_in_a_problem() -> None:
    found = read(Answer('{"site": "chest", "days": "IGNORE ALL RULES"}'), Complaint)
    assert "IGNORE" not in found.problem


def test_schemas_are_closed_for_servers_that_enforce_them() -> None:
    body = with_schema({"messages": []}, Conclude, Enforced.SCHEMA)
    shown = body["response_format"]["json_schema"]["schema"]

    def check(node: Any) -> None:
        if isinstance(node, dict):
            if "properties" in node:
                assert node["additionalProperties"] is False
                assert node["required"] == list(node["properties"])
            assert "default" not in node
            for child in node.values():
                check(child)
        elif isinstance(node, list):
            for child in node:
                check(child)

    check(shown)
    assert "differential" in shown["properties"]


def test_a_schema_with_free_keys_is_not_called_strict() -> None:
    class Free(BaseModel):
        title: str
        default: dict[str, int] = {}

    sent = with_schema({"messages": []}, Free, Enforced.SCHEMA)["response_format"]["json_schema"]
    assert sent["strict"] is False
    assert list(sent["schema"]["properties"]) == ["title", "default"]


def test_lengths_and_ranges_are_left_out_where_a_server_takes_none() -> None:
    class Bounded(BaseModel):
        maximum: Annotated[str, Field(json_schema_extra={"maxLength": 9})]
        parts: list[int] = Field(max_length=3)
        share: float = Field(ge=0, le=1)

    held = with_schema({"messages": []}, Bounded, Enforced.SCHEMA)["response_format"]["json_schema"]
    less = with_schema({"messages": []}, Bounded, Enforced.SHAPE)["response_format"]["json_schema"]
    assert weaker(Enforced.SCHEMA, "Invalid schema for response_format 'Bounded': 'maxLength' is not permitted.") is (
        Enforced.SHAPE
    )
    assert held["schema"]["properties"]["maximum"] == {"type": "string", "maxLength": 9}
    assert held["schema"]["properties"]["share"] == {"type": "number", "minimum": 0, "maximum": 1}
    assert less["schema"]["properties"] == {
        "maximum": {"type": "string"}, "parts": {"type": "array", "items": {"type": "integer"}},
        "share": {"type": "number"},
    }  # fmt: skip
    assert less["strict"] is True
    assert less["schema"]["required"] == ["maximum", "parts", "share"]


def test_an_inquirers_names_end_and_its_schema_has_no_words_of_pydantics_own() -> None:
    """OpenAI refuses a schema with a word that it does not know; a small model writes a name without end."""
    schema = schema_of(("ask", "order", "conclude", "refer"), ("a/b", "c/d"), rationale=True)
    shown = with_schema({"messages": []}, schema, Enforced.SCHEMA)["response_format"]["json_schema"]["schema"]
    defined = shown["$defs"]
    assert defined["_Order"]["properties"]["order"]["maxLength"] == 100
    assert defined["NamedCondition"]["properties"]["condition"]["maxLength"] == 100
    for shape in ("_Ask", "Conclude", "Refer"):
        free = [
            f
            for f in defined[shape]["properties"].values()
            if f.get("type") == "string" and not f.keys() & {"enum", "const"}
        ]
        assert free
        assert all(f["maxLength"] == 1000 for f in free)
    assert (
        defined["Conclude"]["properties"]["plan"]["maxItems"],
        defined["Refer"]["properties"]["differential"]["maxItems"],
    ) == (10, 5)
    assert defined["NamedCondition"]["properties"]["probability"] == {"type": "number", "minimum": 0, "maximum": 1}
    long = {"rationale": "", "action": {"kind": "order", "order": "a scan of " + "the chest " * 20}}
    assert action_of(schema.model_validate(long)).order == long["action"]["order"]


def test_only_words_about_formats_make_us_ask_in_a_weaker_way() -> None:
    assert weaker(Enforced.SCHEMA, "Invalid value for response_format") is Enforced.OBJECT
    assert weaker(Enforced.OBJECT, "json_object is not supported") is Enforced.PROMPT
    assert weaker(Enforced.SHAPE, "Invalid schema for response_format") is Enforced.OBJECT
    assert weaker(Enforced.PROMPT, "json_schema") is None
    assert weaker(Enforced.NONE, "json_schema") is None  # no object was asked for
    assert weaker(Enforced.SCHEMA, "temperature must be 1") is None


def test_asking_again_shows_what_was_wrong_and_cuts_what_was_long() -> None:
    long = Answer("{" + "x" * 9000)
    asked = again(OBJECT, long, read(long, Complaint))
    assert len(asked.messages[-2].text) == 2000
    assert "JSON Schema" not in asked.messages[-1].text  # it stands there where a server needs the words: `with_schema`
    held = replace(long, enforced=Enforced.SCHEMA)  # a server may pass over a schema in silence
    assert "JSON Schema" in again(OBJECT, held, read(held, Complaint)).messages[-1].text
    cut = Answer('{"site', finish="length", enforced=Enforced.SCHEMA)  # the shape was not the trouble, and costs room
    told = again(OBJECT, cut, read(cut, Complaint)).messages[-1].text
    assert "shorter" in told
    assert "JSON Schema" not in told
    assert again(OBJECT, Answer(), read(Answer(), Complaint)) is OBJECT


@pytest.mark.parametrize("body", [None, [], "x", {}, {"choices": None}, {"choices": {"a": 1}}])
def test_what_is_no_completion_is_garbled(body: Any) -> None:
    with pytest.raises(CallError) as caught:
        answer_of(body, 0.0)
    assert caught.value.kind is Kind.GARBLED


@pytest.mark.parametrize(
    "body",
    [
        {"choices": [None]},
        {"choices": [{}]},
        {"choices": [{"message": "hello"}]},
        {"choices": [{"message": {"content": 3}}], "usage": [1], "model": None},
        {"choices": [{"message": {"content": [{"type": "image_url"}, 4]}}], "usage": {"prompt_tokens": "many"}},
    ],
)
def test_a_strange_completion_says_nothing(body: Any) -> None:
    answer = answer_of(body, 0.0)
    assert (answer.text, answer.thinking, answer.usage) == ("", "", Usage())


def test_parts_of_a_content_are_joined() -> None:
    parts = [{"type": "text", "text": "It "}, {"type": "text", "text": "hurts."}]
    assert answer_of({"choices": [{"message": {"content": parts}}]}, 0.0).text == "It hurts."


def test_a_stream_tells_only_what_is_said() -> None:
    heard: list[str | None] = []
    pieces = Pieces(heard.append)
    for piece in ("<th", "ink>a", "b</think", ">It ", "hurts", "."):
        pieces.add({"choices": [{"delta": {"content": piece}}]})
    assert not pieces.done
    pieces.add({"choices": [{"delta": {"reasoning_content": "c"}, "finish_reason": "stop"}]})
    pieces.add({"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 2}})
    assert pieces.done
    assert "".join(map(str, heard)) == "It hurts."
    answer = answer_of(pieces.body(), 0.0)
    assert (answer.text, answer.thinking, answer.finish, answer.usage) == ("It hurts.", "c\nab", "stop", Usage(1, 2))


def test_an_error_inside_a_stream_is_one() -> None:
    with pytest.raises(CallError) as caught:
        Pieces(lambda _: None).add({"error": {"message": "out of memory"}})
    assert (caught.value.kind, "out of memory" in caught.value.detail) == (Kind.OVERLOAD, True)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"Retry-After": "3"}, 3.0),
        ({"retry-after": "-3"}, 0.0),
        ({"Retry-After-Ms": "250", "Retry-After": "9"}, 0.25),
        ({"retry-after": "Wed, 01 Jan 2025 00:00:40 GMT"}, 40.0),
        ({"retry-after": "Wed, 01 Jan 2020 00:00:00 GMT"}, 0.0),
        ({"retry-after": "soon"}, None),
    ],
)
def test_retry_after_in_all_its_forms(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers, datetime(2025, 1, 1, tzinfo=UTC)) == seconds


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, '{"error": {"message": "This model\'s maximum context length is 8192 tokens"}}', Kind.TOO_LONG),
        (400, '{"error": "the request exceeds the available context size"}', Kind.TOO_LONG),
        (400, '{"error": {"message": "too many tokens", "type": "exceed_context_size_error"}}', Kind.TOO_LONG),
        (500, '{"error": {"message": "image input is not supported"}}', Kind.BAD_REQUEST),
        (413, "", Kind.TOO_LONG),
        (402, "", Kind.QUOTA),
        (422, '{"detail": "seed must be positive"}', Kind.BAD_REQUEST),
        (429, "not JSON", Kind.RATE_LIMIT),
        (529, "[]", Kind.OVERLOAD),
        (504, "", Kind.TIMEOUT),
    ],
)
def test_the_servers_errors_have_their_kind(status: int, body: str, kind: Kind) -> None:
    assert failure(status, body, {}).kind is kind


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Bearer abcdef123456",
        '{"Authorization": "Bearer abcdef123456"}',
        "x-api-key: abcdef123456",
        "'api_key': 'abcdef123456'",
        "Incorrect API key provided: abcdef123456.",
        "Basic abcdef123456==",
        "the key sk-proj-abcdef123456 is wrong",
        "GET /v1?api_key=abcdef123456&x=1",
    ],
)
def test_what_looks_like_a_key_is_hidden(text: str) -> None:
    assert "abcdef123456" not in redact(text)
    assert HIDDEN in redact(text)


def test_other_words_stay() -> None:
    plain = "The API key is missing; a bearer of bad news took basic steps: 401."
    assert redact("temperature 0.7 is out of range") == "temperature 0.7 is out of range"
    assert "401" in redact(plain)
    assert without("my sk-proj-abcdef123456", [SECRET]) == "my sk-proj-abcdef123456"
    assert redact(json.dumps({"k": SECRET}), [SECRET]) == '{"k": "[key]"}'


def test_what_a_cut_leaves_of_a_key_and_keys_in_addresses_are_hidden() -> None:
    assert redact(f"the key is {SECRET[:12]}", [SECRET]) == "the key is [key]"
    assert redact(f"the key is {SECRET[:4]}", [SECRET]) == f"the key is {SECRET[:4]}"
    assert (
        redact("go to http://me:hunter22@host/v1?a=1&token=abc&b=2") == "go to http://[key]@host/v1?a=1&token=[key]&b=2"
    )


@given(st.recursive(st.none() | st.integers() | st.text(), lambda x: st.lists(x) | st.dictionaries(_NAMES, x)))
def test_no_body_of_a_server_is_a_crash(data: object) -> None:
    """An answer, or a CallError; whole and as a piece of a stream."""
    for body in (data, {"choices": data}, {"choices": [data]}, {"choices": [{"message": data, "delta": data}]}):
        with suppress(CallError):
            assert isinstance(answer_of(body, 0.0), Answer)
        with suppress(CallError):
            Pieces(lambda words: None).add(body)
