"""ACLs in the compact text of SmythOS."""

from sre_core.access import ACL
from sre_core.access.smythos import from_compact, to_compact
from sre_sdk import Access, Candidate

ada, bot = Candidate.user("ada"), Candidate.agent("bot")
text = to_compact(ACL().grant(ada, Access.OWN).grant(bot, Access.READ))
print(text)

acl, lost = from_compact(text, [ada])
print({str(candidate): str(access) for candidate, access in acl.grants}, "lost:", lost)
