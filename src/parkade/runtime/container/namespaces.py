"""The modules of one model among many: each model sees its own `inference` and `helpers`.

A namespace is a package with a name that nobody writes, whose folder is the model's `code/`.
The modules in it are ordinary ones with long names (`_parkade_model_7.helpers`), so that the
import system keeps them apart by itself. That `import helpers` means this one is done by the
`__import__` that the modules of a namespace are given as a built-in: it is found there by every
import statement in them, whenever and in whichever thread it runs.

Code that is not the model's (pickle, importlib) asks the process for a module by its bare name.
What it finds is a stand-in, which is asked for attributes one by one and takes them from the
module of the model that is being loaded or is answering. Where a package of that name is
installed, it finds that one.

Installed packages are the process's, and so is whatever a model changes in them.
"""

from __future__ import annotations

import builtins
import importlib.util
import itertools
import logging
import sys
from contextlib import contextmanager
from contextvars import ContextVar
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_PREFIX = "_parkade_model_"
_numbers = itertools.count(1)
#: By the name of their package.
_namespaces: dict[str, Namespace] = {}
#: The model whose code runs. A thread that a script started itself has none.
_current: ContextVar[Namespace | None] = ContextVar("namespace", default=None)


class Namespace:
    """The modules of one model."""

    def __init__(self) -> None:
        self._package = f"{_PREFIX}{next(_numbers)}"
        self._folder = ""
        self._owned: dict[str, bool] = {}
        #: What the modules of the namespace have for built-ins.
        self.builtins = {**vars(builtins), "__import__": self._import}

    def run(self, program: Path) -> ModuleType:
        """Run the script as a module; its neighbours can be imported by their bare names."""
        _install()
        self._folder = str(program.parent)
        package = ModuleType(self._package)
        package.__path__ = [self._folder]
        sys.modules[self._package] = package
        _namespaces[self._package] = self
        name = f"{self._package}.{program.stem}"
        spec = importlib.util.spec_from_loader(name, _OwnLoader(name, str(program)))
        if spec is None:
            raise ImportError(f"{program.name} cannot be imported")
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        _OwnLoader(name, str(program)).exec_module(module)
        return module

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Let bare names mean this model's modules where others ask for them."""
        token = _current.set(self)
        try:
            yield
        finally:
            _current.reset(token)

    def owns(self, root: str) -> bool:
        """Tell whether a module or package of this name is in the model's folder."""
        if root not in self._owned:
            self._owned[root] = self._folder != "" and self._has(root)
        return self._owned[root]

    def _has(self, root: str) -> bool:
        spec = PathFinder.find_spec(f"{self._package}.{root}", [self._folder])
        if spec is None:
            return False
        # A mere folder is a package only where nothing better has its name.
        return spec.origin is not None or PathFinder.find_spec(root) is None

    def module(self, name: str) -> ModuleType:
        """Return a module of the model by its bare name; imported, where it is not yet."""
        return importlib.import_module(f"{self._package}.{name}")

    def _import(
        self,
        name: str,
        globals: Mapping[str, object] | None = None,  # noqa: A002 - as it is called
        locals: Mapping[str, object] | None = None,  # noqa: A002 - as it is called
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> ModuleType:
        """Import for the model's own modules."""
        root = name.partition(".")[0]
        if level == 0 and self.owns(root):
            own = f"{self._package}.{name}"
            leaf = builtins.__import__(own, globals, locals, fromlist or ("__name__",), 0)
            # In a thread of the script, too, where no model is known to run.
            with self.entered():
                _stand_in(name)
            return leaf if fromlist else sys.modules[f"{self._package}.{root}"]
        if level == 0 and isinstance(sys.modules.get(root), _StandIn):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return builtins.__import__(name, globals, locals, fromlist or (), level)

    def discard(self) -> None:
        """Let go of the modules and of what they hold, though others may hold their functions."""
        _namespaces.pop(self._package, None)
        for name in filter(self._is_own, list(sys.modules)):
            module = sys.modules.pop(name)
            # Functions hold the module's variables and are held by them; so they are parted.
            vars(module).clear()
        self.builtins = {}
        for path in list(sys.path_importer_cache):
            if Path(path).is_relative_to(self._folder):
                sys.path_importer_cache.pop(path, None)
        loggers = logging.root.manager.loggerDict
        for name in filter(self._is_own, list(loggers)):
            del loggers[name]

    def _is_own(self, name: str) -> bool:
        return name == self._package or name.startswith(f"{self._package}.")


def shared_modules() -> int:
    """Return how many modules belong to no model."""
    return sum(not name.startswith(_PREFIX) for name in list(sys.modules))


class _OwnLoader(SourceFileLoader):
    """Runs the source of a module with the built-ins of its namespace."""

    def exec_module(self, module: ModuleType) -> None:
        """Run it."""
        namespace = _namespaces[module.__name__.partition(".")[0]]
        vars(module)["__builtins__"] = namespace.builtins
        super().exec_module(module)


class _OwnFinder(MetaPathFinder):
    """Finds the modules of all namespaces by their long names."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        """Find what is in the folder of a namespace."""
        if not fullname.startswith(_PREFIX):
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and type(spec.loader) is SourceFileLoader:
            spec.loader = _OwnLoader(spec.loader.name, spec.loader.path)
        return spec


class _StandIn(ModuleType):
    """Stands for the modules of one bare name; each model finds its own behind it."""

    def __getattr__(self, attribute: str) -> Any:
        """Return the attribute of the running model's module."""
        name = self.__name__
        namespace = _owner(name)
        if namespace is None:
            raise AttributeError(f"the running model has no module {name!r}")
        return getattr(namespace.module(name), attribute)


class _StandInFinder(MetaPathFinder, Loader):
    """Comes last: finds by a bare name what only models have."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,  # noqa: ARG002
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> ModuleSpec | None:
        """Find a module of the running model."""
        namespace = _owner(fullname)
        if namespace is None:
            return None
        namespace.module(fullname)
        # What is a module of one model may be a package of another.
        return ModuleSpec(fullname, self, is_package=True)

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """Make the stand-in."""
        module = _StandIn(spec.name)
        # Nobody is to look for submodules in the folder of one of the models.
        module.__path__ = []
        return module

    def exec_module(self, module: ModuleType) -> None:
        """Nothing is run; the module itself has been imported."""


_finders = (_OwnFinder(), _StandInFinder())


def _stand_in(name: str) -> None:
    """Let a bare name be found by those who look it up without importing it, as pickle does."""
    for end in [*(place for place, letter in enumerate(name) if letter == "."), len(name)]:
        part = name[:end]
        if part in sys.modules:
            continue
        if "." not in part and _is_installed(part):
            return
        importlib.import_module(part)


def _is_installed(root: str) -> bool:
    others = (finder for finder in sys.meta_path if finder not in _finders)
    return any(finder.find_spec(root, None) is not None for finder in others)


def _install() -> None:
    if _finders[0] not in sys.meta_path:
        sys.meta_path.insert(0, _finders[0])
        sys.meta_path.append(_finders[1])


def _owner(name: str) -> Namespace | None:
    """Return the namespace that a bare name means; without a running model, if only one has it."""
    root = name.partition(".")[0]
    current = _current.get()
    if current is not None:
        return current if current.owns(root) else None
    owners = [namespace for namespace in list(_namespaces.values()) if namespace.owns(root)]
    return owners[0] if len(owners) == 1 else None
