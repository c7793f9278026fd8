"""Mails of Gmail as payloads.

https://developers.google.com/workspace/gmail/api/reference/rest/v1/users.messages
"""

import base64

import pytest

from sre_core.components.triggers.gmail_message import read_mail


def data(text: str, charset: str = "utf-8") -> dict:
    raw = text.encode(charset)
    return {"size": len(raw), "data": base64.urlsafe_b64encode(raw).decode().rstrip("=")}


def part(kind: str, text: str, charset: str = "utf-8", **more) -> dict:
    headers = [{"name": "Content-Type", "value": f'{kind}; charset="{charset}"'}]
    return {"mimeType": kind, "filename": "", "headers": headers, "body": data(text, charset), **more}


def test_a_mail_with_parts_and_attachments_is_read_whole():
    pdf = {"mimeType": "application/pdf", "filename": "bill.pdf", "body": {"attachmentId": "A1", "size": 9}}
    both = {"mimeType": "multipart/alternative", "parts": [part("text/plain", "hé >?"), part("text/html", "<p>hé</p>")]}
    mail = {
        "id": "m1",
        "threadId": "t1",
        "labelIds": ["UNREAD", "INBOX"],
        "snippet": "hé",
        "sizeEstimate": 99,
        "internalDate": "1700000000000",
        "payload": {
            "mimeType": "multipart/mixed",
            "headers": [{"name": "FROM", "value": "a@a.example"}, {"name": "Message-ID", "value": "<1@a>"}],
            "parts": [both, pdf],
        },
    }
    assert read_mail(mail) == {
        "email": {
            "id": "m1",
            "threadId": "t1",
            "labelIds": ["UNREAD", "INBOX"],
            "snippet": "hé",
            "sizeEstimate": 99,
            "internalDate": "1700000000000",
            "headers": {
                "from": "a@a.example",
                "to": "",
                "cc": "",
                "bcc": "",
                "subject": "",
                "date": "",
                "messageId": "<1@a>",
            },
            "body": {"text": "hé >?", "html": "<p>hé</p>"},
            "attachments": [{"filename": "bill.pdf", "mimeType": "application/pdf", "size": 9, "attachmentId": "A1"}],
            "isUnread": True,
        }
    }


@pytest.mark.parametrize(("charset", "text"), [("iso-8859-1", "\xe9t\xe9"), ("utf-8", "été ☃"), ("koi8-r", "мир")])
def test_text_of_other_encodings_is_read(charset, text):
    assert read_mail({"payload": part("text/plain", text, charset)})["email"]["body"]["text"] == text


@pytest.mark.parametrize("charset", ["klingon", "hex", "punycode"])
def test_text_of_an_unknown_encoding_is_read_as_far_as_it_goes(charset):
    odd = part("text/plain", "\xe9", "iso-8859-1")
    odd["headers"][0]["value"] = f"text/plain; charset={charset}"
    assert read_mail({"payload": odd})["email"]["body"]["text"] == "\ufffd"


@pytest.mark.parametrize("payload", [{}, None, {"parts": []}, {"body": {"data": "!"}, "mimeType": "text/plain"}])
def test_what_is_not_there_is_empty(payload):
    email = read_mail({"payload": payload})["email"]
    assert email["body"] == {"text": "", "html": ""}
    assert email["attachments"] == []
    assert email["isUnread"] is False


def test_a_mail_of_very_many_levels_is_read():
    inner = part("text/plain", "deep")
    for _ in range(5000):
        inner = {"mimeType": "multipart/mixed", "parts": [inner]}
    assert read_mail({"payload": inner})["email"]["body"]["text"] == "deep"
