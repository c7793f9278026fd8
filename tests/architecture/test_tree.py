"""The tests of the architecture look at what there is."""

from tests.architecture.tree import ROOT, modules, python_files


def test_every_file_is_looked_at_and_nothing_else():
    found = {str(path.relative_to(ROOT)) for path in python_files()}
    assert {"sre_core/errors.py", "sre_core/access/guard.py", "tests/architecture/test_tree.py"} <= found
    assert not [name for name in found if "/." in name or "site-packages" in name]


def test_modules_have_the_names_they_are_imported_by():
    names = dict(modules())
    assert names["sre_core.errors"] == ROOT / "sre_core/errors.py"
    assert names["sre_core.access"] == ROOT / "sre_core/access/__init__.py"
