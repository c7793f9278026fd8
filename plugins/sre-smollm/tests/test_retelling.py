"""What a model that was never taught calls reads of its own."""

from sre_core.messages import Message, SkillCall
from sre_smollm.prompts.retelling import retell


def call(name="add_numbers", number="1"):
    return SkillCall(id=number, name=name, arguments="{}")


def test_a_request_its_call_and_its_result_become_one_message_of_the_user():
    told = retell([Message.user("Add 1 and 2."), Message.assistant(skill_calls=(call(),)), Message.result(call(), "3")])
    assert [message.role for message in told] == ["user"]
    assert "Add 1 and 2." in told[0].text
    assert "The add numbers tool returned: 3" in told[0].text


def test_a_failure_is_told_as_one():
    told = retell([Message.user("Add."), Message.result(call(), "no numbers", is_error=True)])
    assert "The add numbers tool failed: no numbers" in told[0].text


def test_several_results_stay_in_order_and_with_their_own_request():
    first, second = call("one", "1"), call("two", "2")
    told = retell(
        [
            Message.system("Be kind."),
            Message.user("First?"),
            Message.assistant(skill_calls=(first, second)),
            Message.result(first, "a"),
            Message.result(second, "b"),
            Message.assistant("Done."),
            Message.user("Second?"),
            Message.assistant("Let me see.", skill_calls=(call("three", "3"),)),
            Message.result(call("three", "3"), "c"),
        ]
    )
    assert [message.role for message in told] == ["system", "user", "assistant", "user"]
    assert told[1].text.index("returned: a") < told[1].text.index("returned: b")
    assert "returned: c" not in told[1].text
    assert "Second?" in told[3].text
    assert "returned: c" in told[3].text


def test_a_conversation_without_skills_is_left_alone():
    messages = [Message.system("s"), Message.user("hi"), Message.assistant("hello"), Message.user("bye")]
    assert retell(messages) == messages
