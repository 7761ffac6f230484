"""Scripts of the checkout as modules: what they make, without the files."""

from __future__ import annotations

import sys
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from types import ModuleType

from tests.servers import ROOT

SCRIPTS = ROOT / "scripts"


def script(name: str) -> ModuleType:
    """A script, loaded and not run."""
    if str(SCRIPTS) not in sys.path:
        sys.path.append(str(SCRIPTS))  # where they find what they share
    loader = SourceFileLoader(name.replace("-", "_"), str(SCRIPTS / name))
    spec = spec_from_loader(loader.name, loader)
    assert spec
    found = module_from_spec(spec)
    sys.modules[loader.name] = found  # where dataclasses look their own module up
    loader.exec_module(found)
    return found
