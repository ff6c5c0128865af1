"""Where a data set says that it comes from. A claim, not a proof; no claim is never "real"."""

from __future__ import annotations

import enum
import json
import math
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from detector.errors import InputError
from detector.files import write_atomically

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

SUFFIX = ".provenance.json"
METADATA_KEY = "collapse_detector.provenance"
MAX_BYTES = 1 << 20
_HINT = "docs/provenance.md has the fields of a manifest."


class Origin(enum.StrEnum):
    """What a data set says it is."""

    REAL = "real"
    SYNTHETIC = "synthetic"
    MIXED = "mixed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """What a manifest says.

    Attributes:
        origin: Real, synthetic, mixed or unknown.
        generation: 0 for real data, 1 for rows of a model trained on it, and so on.
        real_share: Share of real rows in [0, 1], where it is known.
        recipe: The generator's name, if one made the rows.
        options: The generator's options.
        seed: The generator's seed.
        parents: Digests of the data sets that it was made from.
        digest: Digest of its own rows, as `detector profile` prints it.
        versions: Versions of the programs that made it.
        created: When it was made, as ISO 8601 text.
        fingerprint: Hashes of its rows, by which they are known again; see `data.fingerprints`.

    """

    origin: Origin
    generation: int | None = None
    real_share: float | None = None
    recipe: str | None = None
    options: Mapping[str, object] = field(default_factory=dict)
    seed: int | None = None
    parents: tuple[str, ...] = ()
    digest: str | None = None
    versions: Mapping[str, str] = field(default_factory=dict)
    created: str | None = None
    fingerprint: Mapping[str, object] | None = None

    @property
    def synthetic_share(self) -> float | None:
        """Return the declared share of synthetic rows, or None when it is not declared."""
        if self.real_share is not None:
            return 1.0 - self.real_share
        return {Origin.REAL: 0.0, Origin.SYNTHETIC: 1.0}.get(self.origin)

    def to_plain(self) -> dict[str, Any]:
        """Return what is declared, as JSON data; fields that say nothing are left out."""
        held = {name: value for name, value in asdict(self).items() if value not in (None, {}, ())}
        return (
            held
            | {"origin": self.origin.value}
            | ({"parents": [*self.parents]} if self.parents else {})
        )

    def to_json(self) -> str:
        """Return the manifest's text."""
        return json.dumps(self.to_plain(), indent=1, sort_keys=True, allow_nan=False) + "\n"

    def write(self, data: str | os.PathLike[str]) -> None:
        """Write the manifest beside a data file, whole or not at all."""
        write_atomically(f"{data}{SUFFIX}", self.to_json())


def find_provenance(source: str | None, metadata: Mapping[str, str]) -> Provenance | None:
    """Return what is declared: by the file beside the data, else inside the data file.

    Args:
        source: The data file, if there is one.
        metadata: Key-value text found in it.

    Raises:
        InputError: There is a manifest, and it cannot be understood.

    """
    if source is not None:
        path = Path(f"{source}{SUFFIX}")
        if path.is_file():
            return parse(_text(path), name=path.name)
    if METADATA_KEY in metadata:
        return parse(metadata[METADATA_KEY], name=f"the metadata key {METADATA_KEY}")
    return None


def parse(text: str, *, name: str) -> Provenance:
    """Return the manifest in a JSON text.

    Raises:
        InputError: It is not JSON, lacks `origin`, or a field is unknown or of a wrong type.

    """
    try:
        plain = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{name} is not JSON ({error}).", hint=_HINT) from error
    if not isinstance(plain, dict) or "origin" not in plain:
        raise InputError(f"{name} has no `origin`.", hint=_HINT)
    known = {item.name for item in fields(Provenance)}
    if extra := sorted(set(plain) - known):
        raise InputError(f"{name} has an unknown field `{extra[0]}`.", hint=_HINT)
    for key, value in plain.items():
        if not _VALID[key](value):
            raise InputError(f"{name}: `{key}` is {_short(value)}; {_WANTED[key]}.", hint=_HINT)
    return Provenance(
        **plain | {"origin": Origin(plain["origin"]), "parents": tuple(plain.get("parents", ()))}
    )


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InputError(f"{path.name} is larger than 1 MiB.", hint=_HINT)
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path.name} cannot be read ({error}).", hint=_HINT) from error


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _share(value: Any) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and math.isfinite(value) and 0 <= value <= 1


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _text_map(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(item, str) for item in value.values())


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_fingerprint(value: Any) -> bool:
    from detector.data.fingerprints import Fingerprint

    try:
        Fingerprint.from_plain(value)
    except ValueError:
        return False
    return True


_VALID = {
    "origin": lambda value: isinstance(value, str) and value in set(Origin),
    "generation": _whole,
    "real_share": _share,
    "recipe": _is_text,
    "options": lambda value: isinstance(value, dict),
    "seed": _whole,
    "parents": _texts,
    "digest": _is_text,
    "versions": _text_map,
    "created": _is_text,
    "fingerprint": _is_fingerprint,
}
_WANTED = {
    "origin": "it must be real, synthetic, mixed or unknown",
    "generation": "it must be a whole number from 0",
    "real_share": "it must be a number from 0 to 1",
    "recipe": "it must be text",
    "options": "it must be an object",
    "seed": "it must be a whole number from 0",
    "parents": "it must be a list of digests",
    "digest": "it must be text",
    "versions": "it must be an object of texts",
    "created": "it must be text",
    "fingerprint": "it must be one that `generators` writes",
}


def _short(value: object) -> str:
    return repr(value)[:60]
