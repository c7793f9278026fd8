"""A file of SmythOS: read, checked, changed and written."""

from dataclasses import replace
from pathlib import Path

from sre_core.plugins import Plugins
from sre_core.workflows import smyth
from sre_core.workflows.check import check, check_text

workflow = smyth.read_file("greeter.smyth")
print(workflow.name, "has", ", ".join(node.title for node in workflow.nodes.values()))

find = Plugins.load().component
print("problems:", check(workflow, find))

# Half a file is looked at too, as far as it can be read.
text = Path("greeter.smyth").read_text(encoding="utf-8")
broken = text.replace("PromptGenerator", "PromptGenerater").replace("{{Name}}", "{{Nmae}}").replace("minimal", "tiny")
for problem in check_text(broken, find):
    print(problem.severity, "at", problem)

# A change touches nothing else of the file, also not what only other programs understand.
prompt = workflow.nodes["WRITE"]
prompt = replace(prompt, data={**prompt.data, "prompt": "Good evening, {{Name}}!"})
smyth.write_file(replace(workflow, nodes={**workflow.nodes, "WRITE": prompt}), "evening.smyth", indent=2)
print("Good evening" in Path("evening.smyth").read_text(encoding="utf-8"))
