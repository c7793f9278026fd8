"""The signature of OAuth 1, written out, to check what oauthlib makes."""

import base64
import hashlib
import hmac
import re
from urllib.parse import parse_qsl, quote, unquote, urlsplit


def escape(text):
    return quote(text, safe="-._~")


def oauth_parameters(header):
    """What an `Authorization` says."""
    assert header.startswith("OAuth ")
    return {name: unquote(value) for name, value in re.findall(r'([a-z_]+)="([^"]*)"', header)}


def oauth_signature(consumer_secret, token_secret, method, url, params, form=()):
    """Section 3.4 of RFC 5849, written out."""
    parts = urlsplit(url)
    everything = [*params.items(), *parse_qsl(parts.query, keep_blank_values=True), *form]
    pairs = sorted((escape(name), escape(value)) for name, value in everything if name != "oauth_signature")
    joined = "&".join(f"{name}={value}" for name, value in pairs)
    base = "&".join(escape(part) for part in (method, f"{parts.scheme}://{parts.netloc}{parts.path}", joined))
    key = f"{escape(consumer_secret)}&{escape(token_secret)}"
    return base64.b64encode(hmac.new(key.encode(), base.encode(), hashlib.sha1).digest()).decode()
