"""A registry: the fingerprints of files that are known to come from a generator, in one file."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from detector.data.fingerprints import IN_REGISTRIES, Fingerprint
from detector.data.provenance import SUFFIX, Origin, find_provenance, parse
from detector.errors import DetectorError, InputError
from detector.files import write_atomically

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable

DEFAULT = "detector-registry.json"
"""Where a registry is looked for, in the working directory."""

FORMAT = "collapse-detector registry"
VERSION = 1
MAX_BYTES = 256 * 2**20
MAX_SOURCES = 1_000
MAX_NAME = 200
_AGAIN = "Make it again with `detector registry add`."


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Known:
    """One source of known synthetic rows.

    Attributes:
        name: What reports call it.
        recipe: The generator's name, if its manifest tells.
        fingerprint: Of its rows.

    """

    name: str
    recipe: str | None
    fingerprint: Fingerprint


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Registry:
    """Known sources, no two with one name or the same rows."""

    sources: tuple[Known, ...] = ()

    def add(self, known: Known) -> Registry:
        """Return the registry with one more source; one of its name or rows gives way.

        Raises:
            DetectorError: There would be more than `MAX_SOURCES`.

        """
        kept = [
            source
            for source in self.sources
            if source.name != known.name
            and (source.fingerprint.digest, source.fingerprint.columns)
            != (known.fingerprint.digest, known.fingerprint.columns)
        ]
        if len(kept) >= MAX_SOURCES:
            raise DetectorError(
                f"the registry holds {len(kept):,} sources, and no more fit.",
                hint="Remove old ones, or keep one registry for each generator.",
            )
        return replace(self, sources=(*kept, known))

    def remove(self, name: str) -> Registry:
        """Return the registry without a source.

        Raises:
            DetectorError: There is none of this name.

        """
        kept = tuple(source for source in self.sources if source.name != name)
        if len(kept) == len(self.sources):
            raise DetectorError(
                f"the registry has no source `{name}`.",
                hint="`detector registry list` names those it has.",
            )
        return replace(self, sources=kept)

    def write(self, path: str | os.PathLike[str]) -> None:
        """Write it, whole or not at all.

        Raises:
            DetectorError: It would be larger than can be read, or the place is not writable.

        """
        plain = {
            "format": FORMAT,
            "version": VERSION,
            "sources": [
                {
                    "name": source.name,
                    "recipe": source.recipe,
                    "fingerprint": source.fingerprint.to_plain(),
                }
                for source in self.sources
            ],
        }
        text = json.dumps(plain, indent=1, sort_keys=True, allow_nan=False) + "\n"
        if len(text) > MAX_BYTES:
            raise DetectorError(
                "the registry would be larger than 256 MiB.", hint="Remove old sources from it."
            )
        write_atomically(path, text)


def read_registry(path: str | os.PathLike[str]) -> Registry:
    """Return the registry in a file.

    Raises:
        InputError: It cannot be read, is no registry, or is damaged.

    """
    name = Path(path).name
    try:
        if Path(path).stat().st_size > MAX_BYTES:
            raise InputError(f"`{name}` is larger than 256 MiB.", hint=_AGAIN)
        plain = json.loads(Path(path).read_text("utf-8"))
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError(f"Cannot read `{name}`: {reason}.", hint="Check the path.") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"`{name}` is damaged: it is not JSON.", hint=_AGAIN) from error
    if not isinstance(plain, dict) or plain.get("format") != FORMAT:
        raise InputError(f"`{name}` is not a registry.", hint=_AGAIN)
    if plain.get("version") != VERSION:
        said = (
            f"`{name}` has registry version {plain.get('version')!r}; this release reads {VERSION}."
        )
        raise InputError(said, hint=_AGAIN)
    try:
        return Registry(sources=tuple(_sources(plain.get("sources"))))
    except ValueError as error:
        raise InputError(f"`{name}` is damaged: {error}.", hint=_AGAIN) from error


def known_rows(path: str, *, name: str | None = None) -> Known:
    """Return a source from a file of rows, or from a manifest that has a fingerprint.

    Args:
        path: A data file, or a manifest (`*.provenance.json`).
        name: What reports call it; the file's name when None.

    Raises:
        InputError: It cannot be read, has no rows, no fingerprint, or declares real rows.

    """
    label = (name or Path(path).name.removesuffix(SUFFIX))[:MAX_NAME]
    if path.endswith(SUFFIX):
        return _from_manifest(path, label)
    from detector.data.opening import open_data

    dataset = open_data(path)
    manifest = find_provenance(dataset.source, dataset.metadata)
    if manifest is not None and manifest.origin is Origin.REAL:
        raise _real(Path(path).name)
    try:
        made = Fingerprint.of(dataset, most=IN_REGISTRIES)
    except ValueError as error:
        raise InputError(f"`{Path(path).name}`: {error}.", hint="Give a file with rows.") from error
    return Known(name=label, recipe=manifest.recipe if manifest else None, fingerprint=made)


def _from_manifest(path: str, label: str) -> Known:
    file = Path(path)
    try:
        manifest = parse(file.read_text("utf-8"), name=file.name)
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"Cannot read `{file.name}` ({error}).", hint="Check the path.") from error
    if manifest.origin is Origin.REAL:
        raise _real(file.name)
    if manifest.fingerprint is None:
        raise InputError(
            f"`{file.name}` has no fingerprint of the rows.", hint="Give the data file itself."
        )
    made = Fingerprint.from_plain(manifest.fingerprint)
    return Known(name=label, recipe=manifest.recipe, fingerprint=made)


def _real(name: str) -> InputError:
    return InputError(
        f"`{name}` declares that its rows are real.",
        hint="A registry holds the output of generators; mend the manifest if it is wrong.",
    )


def _sources(plain: Any) -> Iterable[Known]:
    """Read the sources.

    Raises:
        ValueError: One of them is damaged.

    """
    if not isinstance(plain, list) or len(plain) > MAX_SOURCES:
        raise ValueError("its list of sources is none")
    for item in plain:
        if not isinstance(item, dict) or not isinstance(item.get("name"), str):
            raise ValueError("a source has no name")  # noqa: TRY004 - read from a file
        recipe = item.get("recipe")
        yield Known(
            name=item["name"][:MAX_NAME],
            recipe=recipe if isinstance(recipe, str) else None,
            fingerprint=Fingerprint.from_plain(item.get("fingerprint")),
        )
