"""Secrets in a file: found where they should not be, and read from where a file says they are."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from parkade.apps.projectfile.problem import Place, Problem
from parkade.apps.projectfile.tree import leaves
from parkade.domain.names import suggestion

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from parkade.apps.projectfile.references import Reference
    from parkade.apps.projectfile.tree import Tree

#: Words that end the names of secrets.
_WORDS = frozenset({"token", "secret", "password", "passwd", "passphrase", "credential", "pwd"})
#: Keys are secret where such a word goes before.
_KEYS = frozenset({"api", "access", "secret", "private", "auth", "signing", "encryption"})
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
#: What is no secret, whatever its key: numbers, truth values, nothing.
_HARMLESS = re.compile(r"(?i)|true|false|null|none|[-+]?[0-9.]+")
#: What is a secret, whatever its key.
_PATTERNS = (
    re.compile(r"\b(AKIA|ASIA)[A-Z0-9]{16}\b"),
    re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
    re.compile(r"\bwhsec_[A-Za-z0-9+/=]{16,}"),
    re.compile(r"\bhf_[A-Za-z0-9]{20,}\b"),
    re.compile(r"\bgh[pousr]_[A-Za-z0-9]{30,}\b"),
    re.compile(r"\bxox[abprs]-[A-Za-z0-9-]{10,}"),
    re.compile(r"\bsk-[A-Za-z0-9_-]{20,}"),
    re.compile(r"https://hooks\.slack\.com/services/\S+"),
)
#: Keys of the file's own whose texts are words and names.
_OWN = frozenset({"aws_secret", "auth"})
#: No secret is larger; a file that is named by mistake may be.
_MOST_BYTES = 64 * 1024


def is_secret(key: str) -> bool:
    """Tell whether a key is what secrets are called by."""
    words = [word.lower() for word in _WORD.findall(key)]
    if not words or key in _OWN:
        return False
    return words[-1] in _WORDS or (words[-1] == "key" and not _KEYS.isdisjoint(words))


def written_inside(tree: Tree) -> list[Problem]:
    """Tell of secrets that stand in the file itself; none is shown."""
    problems = []
    for place, leaf in leaves(tree):
        if not isinstance(leaf.value, str) or not place:
            continue
        key = next((part for part in reversed(place) if isinstance(part, str)), "")
        by_name = is_secret(key) and not _HARMLESS.fullmatch(leaf.value)
        if by_name or any(pattern.search(leaf.value) for pattern in _PATTERNS):
            problems.append(
                Problem(
                    place=place,
                    message="a secret stands here",
                    hint=f"write where it is instead, {key}: {{env: NAME}} or {key}: {{file: PATH}}",
                )
            )
    return problems


def read(
    reference: Reference, place: Place, folder: Path, environment: Mapping[str, str]
) -> str | Problem | None:
    """Return a secret, or what is wrong; None: it is AWS's, and not read here."""
    if reference.env is not None:
        value = environment.get(reference.env)
        if value:
            return value
        hint = suggestion(reference.env, environment) or f"set it: export {reference.env}=..."
        return Problem(place=place, message=f"the variable {reference.env} is not set", hint=hint)
    if reference.file is None:
        return None
    path = folder / reference.file
    try:
        with path.open("rb") as source:
            content = source.read(_MOST_BYTES + 1)
        text = content.decode("utf-8").strip()
    except OSError as error:
        return Problem(place=place, message=f"{path} cannot be read: {error.strerror}")
    except UnicodeDecodeError:
        return Problem(place=place, message=f"{path} holds no secret: it is not UTF-8")
    if len(content) > _MOST_BYTES:
        return Problem(place=place, message=f"{path} is larger than any secret")
    if not text:
        return Problem(place=place, message=f"{path} is empty", hint="write the secret into it")
    return text.splitlines()[0].strip()
