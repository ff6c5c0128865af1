"""A profile as one file: a ZIP of JSON, NumPy arrays and one Arrow table. No pickle.

| member | holds |
| --- | --- |
| `profile.json` | version, schema, scalars, levels, and the SHA-256 of every member below |
| `profile.sha256` | the SHA-256 of `profile.json` |
| `edges.npy`, `counts.npy` | all columns one after another; lengths are in the JSON |
| `sample.arrow`, `content.npy`, `smallest.npy`, `count.npy` | the row sample; may be absent |
| `kernel_sums.npy` | kernel feature sums; may be absent |
| `pairs.npy`, `first.npy`, `second.npy`, `center.npy` | moments; may be absent |
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import tempfile
import zipfile
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from detector.data.schema import ColumnSpec, Kind, Role, Schema
from detector.errors import ReportError
from detector.profiles.aggregates import (
    ColumnSummary,
    LevelSummary,
    NumericSummary,
    OpaqueSummary,
)
from detector.profiles.frame import Frame
from detector.profiles.moments import Moments
from detector.profiles.order import ColumnOrder
from detector.profiles.profile import Profile
from detector.profiles.sample import SampleState

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from detector.profiles.kernel import KernelMeans, KernelSpec

    Arrays = dict[str, NDArray[Any]]

FORMAT = "collapse-detector profile"
VERSION = 2
MAX_BYTES = 4 * 2**30
_EPOCH = (1980, 1, 1, 0, 0, 0)


def save(profile: Profile, path: str) -> None:
    """Write a profile to `path`, atomically: the file is whole or not there.

    Raises:
        ReportError: The folder does not exist or cannot be written.

    """
    arrays, header = _arrays(profile), _header(profile)
    members = {f"{name}.npy": _npy(array) for name, array in arrays.items()}
    if profile.state is not None:
        members["sample.arrow"] = _ipc(profile.state.rows)
    header["members"] = {name: _sha256(data) for name, data in members.items()}
    text = json.dumps(header, ensure_ascii=False, allow_nan=False).encode("utf-8", "surrogatepass")
    packed = {"profile.json": text, "profile.sha256": _sha256(text).encode(), **members}
    target = Path(path)
    try:
        handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=".profile-")
    except OSError as error:
        raise ReportError(
            f"cannot write {target.name}: {error.strerror}.",
            hint="Choose a folder that exists and can be written to.",
        ) from error
    try:
        with os.fdopen(handle, "wb") as stream, zipfile.ZipFile(stream, "w") as archive:
            for name, data in packed.items():
                method = zipfile.ZIP_STORED if name == "sample.arrow" else zipfile.ZIP_DEFLATED
                info = zipfile.ZipInfo(name, _EPOCH)
                archive.writestr(info, data, compress_type=method, compresslevel=1)
        Path(temporary).replace(target)
    except BaseException:
        Path(temporary).unlink()
        raise


def load(path: str) -> Profile:
    """Read a profile, checking its version and every member's digest.

    Raises:
        ReportError: The file is missing, damaged, of another version or no profile.

    """
    name = Path(path).name
    again = "Make it again with `detector profile`."
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(info.file_size for info in archive.infolist()) > MAX_BYTES:
                raise ReportError(f"{name} unpacks to more than 4 GiB.", hint=again)
            members = {info.filename: archive.read(info) for info in archive.infolist()}
    except FileNotFoundError as error:
        raise ReportError(f"{name} does not exist.", hint="Check the path.") from error
    except (OSError, zipfile.BadZipFile, zipfile.LargeZipFile, EOFError) as error:
        raise ReportError(f"{name} is damaged or not a profile.", hint=again) from error
    header = _read_header(members.get("profile.json", b""))
    if header is None:
        raise ReportError(f"{name} is not a profile.", hint=again)
    if header.get("version") != VERSION:
        raise ReportError(
            f"{name} has profile version {header.get('version')}; this release reads {VERSION}.",
            hint=again,
        )
    own = members.get("profile.sha256", b"").decode("ascii", "replace")
    for member, digest in {"profile.json": own, **header.get("members", {})}.items():
        if member not in members or _sha256(members[member]) != digest:
            raise ReportError(f"{name} is damaged: {member} fails its digest.", hint=again)
    try:
        arrays = {
            member.removesuffix(".npy"): np.load(io.BytesIO(data), allow_pickle=False)
            for member, data in members.items()
            if member.endswith(".npy")
        }
        return _profile(header, arrays, members.get("sample.arrow"))
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise ReportError(f"{name} is damaged: its parts do not fit.", hint=again) from error


def _read_header(data: bytes) -> dict[str, Any] | None:
    """Return the header, or None when the bytes are not a profile's."""
    try:
        header = json.loads(data.decode("utf-8", "surrogatepass"))
    except (ValueError, RecursionError):
        return None
    return header if isinstance(header, dict) and header.get("format") == FORMAT else None


def _header(profile: Profile) -> dict[str, Any]:
    state = profile.state
    return {
        "format": FORMAT,
        "version": VERSION,
        "name": profile.name,
        "n_rows": profile.n_rows,
        "multiset": [str(part) for part in profile.multiset],
        "metadata": dict(profile.metadata),
        "schema": _plain_schema(profile.schema),
        "frame": _plain_schema(profile.frame.schema),
        "edges": {name: len(edges) for name, edges in profile.frame.edges.items()},
        "columns": {name: _plain_summary(s) for name, s in profile.columns.items()},
        "sample": None if state is None else {"total": state.total, "salt": state.salt},
        "kernel": None if profile.frame.kernel is None else profile.frame.kernel.to_plain(),
        "kernel_rows": None if profile.kernel is None else profile.kernel.n,
        "moments": None if profile.moments is None else list(profile.moments.columns),
        "order": profile.order and {name: asdict(order) for name, order in profile.order.items()},
    }


def _arrays(profile: Profile) -> Arrays:
    numeric = [s for s in profile.columns.values() if isinstance(s, NumericSummary)]
    arrays: Arrays = {
        "edges": _joined(list(profile.frame.edges.values()), np.float64),
        "counts": _joined([summary.counts for summary in numeric], np.int64),
    }
    if profile.state is not None:
        arrays["content"] = profile.state.content
        arrays["smallest"] = profile.state.smallest
        arrays["count"] = profile.state.count
    if profile.moments is not None:
        arrays |= {k: getattr(profile.moments, k) for k in ("pairs", "first", "second", "center")}
    if profile.kernel is not None:
        arrays["kernel_sums"] = profile.kernel.sums
    return arrays


def _profile(header: dict[str, Any], arrays: Arrays, sample: bytes | None) -> Profile:
    schema, frame_schema = _schema(header["schema"]), _schema(header["frame"])
    split = _split(arrays["edges"], header["edges"].values())
    edges = dict(zip(header["edges"], split, strict=True))
    spec, means = _kernel(header, arrays)
    widths = [2 * len(edges[n]) + 1 for n, s in header["columns"].items() if "mean" in s]
    counts = iter(_split(arrays["counts"], widths))
    columns = {
        name: _summary(plain, edges.get(name), counts) for name, plain in header["columns"].items()
    }
    moments = state = None
    if header["moments"] is not None:
        parts = {k: arrays[k] for k in ("pairs", "first", "second", "center")}
        moments = Moments(columns=tuple(header["moments"]), **parts)
    if header["sample"] is not None and sample is not None:
        state = SampleState(
            content=arrays["content"],
            smallest=arrays["smallest"],
            count=arrays["count"],
            rows=_table(sample),
            **header["sample"],
        )
    return Profile(
        name=header["name"],
        schema=schema,
        frame=Frame(schema=frame_schema, edges=edges, kernel=spec),
        n_rows=header["n_rows"],
        columns=columns,
        state=state,
        moments=moments,
        kernel=means,
        multiset=(int(header["multiset"][0]), int(header["multiset"][1])),
        metadata=header["metadata"],
        order=_order(header.get("order")),
    )


def _order(plain: dict[str, Any] | None) -> dict[str, ColumnOrder] | None:
    """Return the order of rows; profiles of earlier releases have none."""
    return plain and {name: ColumnOrder(**counted) for name, counted in plain.items()}


def _kernel(header: dict[str, Any], arrays: Arrays) -> tuple[KernelSpec | None, KernelMeans | None]:
    if header["kernel"] is None:
        return None, None
    from detector.profiles.kernel import KernelMeans, KernelSpec

    spec = KernelSpec.from_plain(header["kernel"])
    if header["kernel_rows"] is None:
        return spec, None
    return spec, KernelMeans(spec=spec, sums=arrays["kernel_sums"], n=header["kernel_rows"])


def _plain_schema(schema: Schema) -> list[dict[str, Any]]:
    return [asdict(spec) for spec in schema.columns]


def _schema(plain: list[dict[str, Any]]) -> Schema:
    return Schema(
        columns=tuple(
            ColumnSpec(name=c["name"], kind=Kind(c["kind"]), role=Role(c["role"]), width=c["width"])
            for c in plain
        )
    )


_SCALARS = ("n", "missing", "negative_infinite", "positive_infinite", "mean", "m2")


def _plain_summary(summary: ColumnSummary) -> dict[str, Any]:
    if isinstance(summary, NumericSummary):
        scalars = {key: getattr(summary, key) for key in _SCALARS}
        return scalars | {"minimum": summary.minimum, "maximum": summary.maximum}
    if isinstance(summary, LevelSummary):
        return asdict(summary) | {"levels": dict(summary.levels)}
    return asdict(summary)


def _summary(plain: dict[str, Any], edges: Any, counts: Any) -> ColumnSummary:
    if "mean" in plain:
        return NumericSummary(**plain, edges=edges, counts=next(counts))
    return LevelSummary(**plain) if "levels" in plain else OpaqueSummary(**plain)


def _joined(arrays: list[NDArray[Any]], dtype: Any) -> NDArray[Any]:
    return np.concatenate(arrays) if arrays else np.empty(0, dtype)


def _split(array: NDArray[Any], lengths: Any) -> list[NDArray[Any]]:
    return np.split(array, np.cumsum(list(lengths))[:-1]) if list(lengths) else []


def _npy(array: NDArray[Any]) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=False)
    return stream.getvalue()


def _ipc(table: pa.Table) -> bytes:
    import pyarrow as pa

    sink = pa.BufferOutputStream()
    options = pa.ipc.IpcWriteOptions(compression="lz4", unify_dictionaries=True)
    with pa.ipc.new_file(sink, table.schema, options=options) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()  # type: ignore[no-any-return]


def _table(data: bytes) -> pa.Table:
    import pyarrow as pa

    return pa.ipc.open_file(pa.BufferReader(data)).read_all()


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
