"""Conversations: they grow, and survive storage."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sre_core.agents.conversation import Conversation
from sre_core.agents.transcript import decode_message, encode_message
from sre_core.errors import AccessDeniedError, ConfigError, ConflictError, ConnectorError, NotFoundError
from sre_core.messages import File, Message, MessageRole, ProviderState, SkillCall

CALL = SkillCall(id="c1", name="add", arguments='{"a": "é\\n')
EVERYTHING = [
    Message.user("Grüße\n\t\u2028", files=(File(name="a.bin", media_type="x/y", data=bytes(range(256))),)),
    Message.assistant("", skill_calls=(CALL, CALL)),
    Message.result(CALL, "", is_error=True),
    Message.assistant("half a \ud83d smile"),
    Message.assistant("thought", state=ProviderState(connector="acme", data='{"signature": "é"}')),
]

texts = st.text(st.characters(), max_size=20)
calls = st.builds(SkillCall, id=texts, name=texts, arguments=texts)
files = st.builds(File, name=texts, media_type=texts, data=st.binary(max_size=20))
messages = st.builds(
    Message,
    role=st.sampled_from(MessageRole),
    text=texts,
    files=st.lists(files, max_size=2).map(tuple),
    skill_calls=st.lists(calls, max_size=2).map(tuple),
    call_id=st.none() | texts,
    name=st.none() | texts,
    is_error=st.booleans(),
    state=st.none() | st.builds(ProviderState, connector=texts, data=texts),
)


@given(messages)
def test_any_message_survives_its_json_line(message):
    line = encode_message(message)
    assert "\n" not in line
    assert decode_message(json.loads(line.encode())) == message


async def test_what_was_saved_is_loaded_and_can_go_on(stage):
    chat = Conversation("c1", EVERYTHING)
    await chat.save(stage.storage)
    again = await Conversation.load(stage.storage, "c1")
    assert (again.id, list(again.messages)) == ("c1", EVERYTHING)
    again.append(Message.user("more"))
    await again.save(stage.storage)
    await again.save(stage.storage)
    assert len(await Conversation.load(stage.storage, "c1")) == len(EVERYTHING) + 1


async def test_the_file_is_readable_and_only_grows(stage):
    chat = Conversation("c1", [Message.user("Grüße")])
    await chat.save(stage.storage)
    first = (await stage.storage.read_text("chats/c1.json")).splitlines()
    assert first[1:3] == ['  "format": 1,', '  "id": "c1",']
    assert '{"role": "user", "text": "Grüße"}' in first[4]
    chat.append(Message.assistant("hello"))
    await chat.save(stage.storage)
    second = (await stage.storage.read_text("chats/c1.json")).splitlines()
    assert second[:4] == first[:4]
    assert second[4] == first[4] + ","
    assert json.loads("\n".join(second))["messages"][1]["text"] == "hello"


async def test_an_empty_conversation_can_be_saved(stage):
    await Conversation("c1").save(stage.storage)
    assert len(await Conversation.load(stage.storage, "c1")) == 0


async def test_two_who_share_a_chat_do_not_overwrite_each_other(stage):
    await Conversation("c1", [Message.user("a")]).save(stage.storage)
    one = await Conversation.load(stage.storage, "c1")
    other = await Conversation.load(stage.storage, "c1")
    one.append(Message.user("one"))
    other.append(Message.user("other"))
    await one.save(stage.storage)
    with pytest.raises(ConflictError, match="chat 'c1' was saved by somebody else") as caught:
        await other.save(stage.storage)
    assert "load it again" in caught.value.hint
    assert (await Conversation.load(stage.storage, "c1")).messages[-1].text == "one"


async def test_a_new_chat_never_replaces_one_that_exists(stage):
    await Conversation("c1", [Message.user("a")]).save(stage.storage)
    with pytest.raises(ConflictError):
        await Conversation("c1").save(stage.storage)


async def test_a_chat_that_does_not_exist_is_named(stage):
    with pytest.raises(NotFoundError, match="no chat 'c9'"):
        await Conversation.load(stage.storage, "c9")


@pytest.mark.parametrize("id", ["", "../c1", "a/b", "a" * 65, ".hidden"])
async def test_an_illegal_id_is_refused(stage, id):  # noqa: A002
    with pytest.raises(ConfigError, match="illegal chat id"):
        Conversation(id)
    with pytest.raises(ConfigError, match="illegal chat id"):
        await Conversation.load(stage.storage, id)


async def test_nobody_reads_the_chats_of_somebody_else(stage):
    await Conversation("c1", EVERYTHING).save(stage.storage)
    with pytest.raises(AccessDeniedError):
        await Conversation.load(stage.storage_of("b2").of(stage.candidate), "c1")


GOOD = {"format": 1, "id": "c1", "messages": []}


@pytest.mark.parametrize(
    ("document", "says"),
    [
        (b"", "Expecting value"),
        (b'{"format": 1, "id": "c1", "mess', "Unterminated"),
        (b"\xff\xfe\x00", "codec"),
        (b"[]", "no messages"),
        (b"[" * 100_000, "recursion"),
        ({**GOOD, "format": 2}, "format is 2, and only 1"),
        ({**GOOD, "id": "c2"}, "calls itself 'c2'"),
        ({**GOOD, "messages": {}}, "not a list"),
        ({**GOOD, "messages": [{"role": "user"}, 3]}, "message 1: a message is int"),
        ({**GOOD, "messages": [{"role": "boss"}]}, "unknown role 'boss'"),
        ({**GOOD, "messages": [{"role": ["user"]}]}, "unknown role"),
        ({**GOOD, "messages": [{"role": "user", "text": 3}]}, "'text' is 3"),
        ({**GOOD, "messages": [{"role": "user", "is_error": "no"}]}, "'is_error'"),
        ({**GOOD, "messages": [{"role": "user", "mood": "good"}]}, "unknown key 'mood'"),
        ({**GOOD, "messages": [{"role": "user", "files": "x"}]}, "'files' is str"),
        ({**GOOD, "messages": [{"role": "user", "files": [{"name": "a"}]}]}, "'data' is missing"),
        (
            {**GOOD, "messages": [{"role": "user", "files": [{"name": "a", "media_type": "b", "data": "?"}]}]},
            "not base64",
        ),
        ({**GOOD, "messages": [{"role": "assistant", "skill_calls": [{"id": "a"}]}]}, "'name' is missing"),
    ],
)
async def test_a_damaged_chat_says_what_is_wrong_and_stays_as_it_is(stage, document, says):
    data = document if isinstance(document, bytes) else json.dumps(document).encode()
    await stage.storage.write("chats/c1.json", data)
    with pytest.raises(ConnectorError, match="chat 'c1' cannot be read") as caught:
        await Conversation.load(stage.storage, "c1")
    assert says in str(caught.value)
    assert "chats/c1.json" in caught.value.hint
    assert await stage.storage.read("chats/c1.json") == data
