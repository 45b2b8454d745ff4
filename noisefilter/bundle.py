"""The model bundle: one file that holds a trained model, safe to load from a stranger.

A bundle is a zip archive, stored and not compressed, the same bytes for the same model:

- ``manifest.json``: format and library versions, training data with digests, classes, the table
  from loss budget to threshold, metrics, a self-test, size and SHA-256 of every other member;
- ``arrays.npz``: numbers; ``words.txt``, ``characters.txt``, ``stems.txt``, ``common.txt``: one term a line;
- ``card.md``: the model card.

Nothing is unpickled. Sizes are held against the file's own size before anything is allocated.
"""

import functools
import hashlib
import io
import json
import math
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from noisefilter.archive import EPOCH, is_plain, opened, stored
from noisefilter.arrays import pack, unpack
from noisefilter.article import Article
from noisefilter.errors import ModelError
from noisefilter.features import CLASSES, SECOND_LOOK
from noisefilter.files import replace_file, replacing
from noisefilter.kernel import Native, built, why_not
from noisefilter.kinds import FAMILIES
from noisefilter.language import CommonWords
from noisefilter.model import Model, Scorer
from noisefilter.policy import BudgetRow, LossBudgets
from noisefilter.weights import TERM_LISTS, Weights

FORMAT = 2
"""Version of the bundle's format; a reader refuses any other."""

LARGEST = 512 * 2**20
"""Bytes; a larger file is refused."""

_MEMBERS = ("arrays.npz", "words.txt", "characters.txt", "stems.txt", "common.txt", "card.md")
_TOLERANCE = 1e-5
_LIBRARIES = ("numpy", "scipy", "scikit-learn")
_SELF_TEST = (
    Article(
        "Harbour bridge to close for repairs",
        [
            "Harbour bridge to close for repairs",
            "The harbour bridge will close on Monday for six weeks, the port authority said, after engineers found "
            "cracks in two of its eleven piers.",
            "READ MORE: Five things to do in town this weekend",
            "Lorries will be sent over the northern ring road. “We know what that means for the villages,” said the "
            "port's director, Ines Okafor.",
            "Midfielder Jonas Brandt scored twice as Rovers came from behind to beat Albion 3-2.",
            "The piers were last inspected in 2011, the port authority said.",
            "Sign up for our newsletter",
        ],
    ),
    Article(None, ["© 2020", "Статья", "", "\ufeff one\u00a0two ‘three’"]),
)


def save_model(model: Model, path: Path) -> Model:
    """Write a bundle, atomically, and return the model as a reader will get it.

    Raises
    ------
    ModelError
        If the path cannot be written.
    """
    data = to_bytes(model)
    saved = from_bytes(data, str(path))
    try:
        replace_file(path, data)
    except OSError as error:
        raise ModelError(f"{path}: cannot be written ({error.strerror}): choose another -o") from None
    return saved


def load_model(path: str | Path | None = None, *, kernel: bool | None = None) -> Model:
    """Load a model bundle.

    Parameters
    ----------
    path : path, optional
        By default the model that ships in the package.
    kernel : bool, optional
        Whether the compiled kernel scores, or else the reference; both make the same decisions. By default the
        kernel, where it was built and the environment variable NOISEFILTER_KERNEL is not ``off``.

    Raises
    ------
    ModelError
        If the file is missing, is no bundle, is damaged, or is of another format or of other features.
    """
    if path is None:
        return _default_model(kernel, why_not())
    return from_bytes(_read(path), str(path), kernel=kernel)


@functools.cache
def _default_model(kernel: bool | None, _: str | None) -> Model:
    return from_bytes(_read(None), "the default model", kernel=kernel)


def read_manifest(path: str | Path | None = None) -> dict[str, Any]:
    """Return the manifest of a bundle without building the model; errors as in `load_model`."""
    return _members(_read(path), str(path or "the default model"))[0]


def _read(path: str | Path | None) -> bytes:
    if path is None:
        shipped = Path(__file__).parent / "models" / "default.noisefilter"
        if not shipped.is_file():
            raise ModelError("the default model is not in the package: reinstall noisefilter, or run `make train`")
        return shipped.read_bytes()
    path = Path(path)
    try:
        if path.stat().st_size > LARGEST:
            raise ModelError(f"{path}: larger than {LARGEST >> 20} MiB: this is not a noisefilter model")
        return path.read_bytes()
    except OSError as error:
        raise ModelError(
            f"{path}: cannot be read ({error.strerror}): check the path, or train a model with `noisefilter train`"
        ) from None


def to_bytes(model: Model) -> bytes:
    """Return the bundle of a model: the same bytes for the same model."""
    from importlib import metadata  # noqa: PLC0415

    from noisefilter.reference import classifier_of  # noqa: PLC0415

    weights = model.scorer.weights
    members = {"arrays.npz": pack(weights.arrays), "card.md": model.card.encode()}
    members |= {f"{name}.txt": weights.terms[name] for name in TERM_LISTS}
    manifest = {
        "noisefilter_format": FORMAT,
        "package_version": metadata.version("noisefilter"),
        "library_versions": {name: metadata.version(name) for name in _LIBRARIES},
        "classes": list(CLASSES),
        "families": list(FAMILIES),
        "features": list(SECOND_LOOK),
        "parameters": dict(weights.parameters),
        "common_words_floor": model.common_words.floor,
        "budgets": [asdict(row) for row in model.budgets.rows],
        "about": dict(model.about),
        "members": {
            name: {"size": len(members[name]), "sha256": hashlib.sha256(members[name]).hexdigest()} for name in _MEMBERS
        },
    }
    rounded = classifier_of(weights)
    manifest["self_test"] = [
        [[round(share, 8) for share in row] for row in rounded.score_article(article).tolist()]
        for article in _SELF_TEST
    ]
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        text = json.dumps(manifest, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False)
        for name, content in [("manifest.json", text.encode()), *((name, members[name]) for name in _MEMBERS)]:
            info = zipfile.ZipInfo(name, EPOCH)
            info.create_system = 3
            info.external_attr = 0o644 << 16
            archive.writestr(info, content)
    return buffer.getvalue()


def from_bytes(data: bytes, name: str, *, kernel: bool | None = None) -> Model:
    """Return the model of a bundle's bytes, checked; `name` is for messages. The rest is as in `load_model`."""
    manifest, members = _members(data, name)
    try:
        terms = {part: bytes(members[f"{part}.txt"]) for part in TERM_LISTS}
        weights = Weights(manifest["parameters"], unpack(members["arrays.npz"]), terms)
        model = _build(manifest, weights, bytes(members["card.md"]).decode(), kernel=kernel)
        for article, expected in zip(_SELF_TEST, manifest["self_test"], strict=True):
            found = model.scorer.read(article).probabilities(range(len(article.paragraphs)))
            if not _alike(found, expected):
                raise ModelError(f"{name}: fails its self-test: train it again with this version of noisefilter")
    except ModelError as error:
        message = str(error)
        raise ModelError(message if message.startswith(name) else f"{name}: {message}") from None
    except (ArithmeticError, AttributeError, LookupError, MemoryError, RuntimeError, TypeError, ValueError) as error:
        what = " ".join(f"{type(error).__name__}: {error}".split())
        raise ModelError(f"{name}: damaged ({what[:200]}): fetch or train it again") from None
    return model


def _alike(found: Sequence[Sequence[float]], expected: Sequence[Sequence[float]]) -> bool:
    return len(found) == len(expected) and all(
        len(mine) == len(theirs)
        and all(abs(one - other) <= _TOLERANCE for one, other in zip(mine, theirs, strict=True))
        for mine, theirs in zip(found, expected, strict=True)
    )


def _members(data: bytes, name: str) -> tuple[dict[str, Any], dict[str, memoryview]]:
    """Return manifest and members of a bundle, sizes and digests checked."""
    again = "fetch or train it again"
    try:
        with opened(data) as archive:
            manifest = _manifest(archive, name)
            members = {member: stored(data, archive.getinfo(member)) for member in _MEMBERS}
        for member, content in members.items():
            stated = manifest["members"][member]
            if len(content) != stated["size"] or hashlib.sha256(content).hexdigest() != stated["sha256"]:
                raise ModelError(f"{name}: {member} does not match its digest: {again}")
    except zipfile.BadZipFile as error:
        if data[:2] == b"PK":
            raise ModelError(f"{name}: damaged ({error}): {again}") from None
        raise ModelError(_foreign(name)) from None
    except (KeyError, TypeError, ValueError, EOFError, RuntimeError, OSError) as error:
        raise ModelError(f"{name}: damaged ({error}): {again}") from None
    return manifest, members


def _manifest(archive: zipfile.ZipFile, name: str) -> dict[str, Any]:
    """Return the manifest of an archive whose members are those of a bundle."""
    infos = archive.infolist()
    if "manifest.json" not in archive.namelist():
        raise ModelError(_foreign(name))
    if not all(map(is_plain, infos)):
        raise ModelError(f"{name}: its members are not stored plainly: fetch or train it again")
    manifest = json.loads(archive.read("manifest.json"))
    if not isinstance(manifest, dict) or type(manifest.get("noisefilter_format")) is not int:
        raise ModelError(_foreign(name))
    if manifest["noisefilter_format"] > FORMAT:
        raise ModelError(
            f"{name}: format {manifest['noisefilter_format']} is newer than this noisefilter reads ({FORMAT}): "
            "upgrade noisefilter"
        )
    if manifest["noisefilter_format"] < FORMAT:
        raise ModelError(
            f"{name}: format {manifest['noisefilter_format']} is older than this noisefilter reads ({FORMAT}): "
            "train it again"
        )
    if sorted(archive.namelist()) != sorted(["manifest.json", *_MEMBERS]):
        raise ModelError(f"{name}: members are missing or strange: fetch or train it again")
    return manifest


def _foreign(name: str) -> str:
    return f"{name}: not a noisefilter model: give a file that `noisefilter train` wrote"


def _build(manifest: Mapping[str, Any], weights: Weights, card: str, *, kernel: bool | None) -> Model:
    """Put a model together from plain numbers, shapes checked."""
    if [tuple(manifest[name]) for name in ("classes", "families", "features")] != [CLASSES, FAMILIES, SECOND_LOOK]:
        made_by = str(manifest["package_version"])[:20]
        raise ModelError(
            f"a model of noisefilter {made_by} with other features: train it again, or install that version"
        )
    weights.check()
    floor = float(manifest["common_words_floor"])
    if not 0 <= floor <= 1 or not isinstance(manifest["about"], dict):
        raise ValueError("the manifest is not of this format")
    rows = tuple(BudgetRow(**row) for row in manifest["budgets"])
    _check_budgets(rows)
    common = CommonWords(frozenset(weights.listed("common")), floor)
    return Model(_scorer(weights, common, kernel=kernel), common, LossBudgets(rows), manifest["about"], card)


def _scorer(weights: Weights, common: CommonWords, *, kernel: bool | None) -> Scorer:
    """Return the kernel, where it was built and takes the model; else the reference."""
    if kernel and not built():
        raise ModelError(str(why_not()))
    if kernel or (kernel is None and why_not() is None):
        try:
            return Native(weights)
        except RuntimeError as error:
            if kernel:
                raise ModelError(f"the kernel does not take this model ({error}): load it with kernel=False") from None
    from noisefilter.reference import Reference, classifier_of  # noqa: PLC0415

    return Reference(classifier_of(weights), common)


def _check_budgets(rows: Sequence[BudgetRow]) -> None:
    budgets = [row.budget for row in rows]
    thresholds = [row.threshold for row in rows]
    if not rows or not all(math.isfinite(value) for row in rows for value in asdict(row).values()):
        raise ValueError("the budget table is empty or not finite")
    if budgets != sorted(budgets) or thresholds != sorted(thresholds, reverse=True) or thresholds[-1] < 0:
        raise ValueError("the budget table does not rise")


def export_pipeline(model: Model, path: Path) -> None:
    """Write the fitted scikit-learn classifier as a joblib pickle.

    A pickle runs code when it is loaded and holds only for this version of scikit-learn: for your own
    use, never to pass on.

    Raises
    ------
    ModelError
        If the file cannot be written.
    """
    import joblib  # noqa: PLC0415

    try:
        with replacing(path) as new:
            joblib.dump(model.classifier, new.stream)
    except OSError as error:
        raise ModelError(f"{path}: cannot be written ({error.strerror}): choose another -o") from None
