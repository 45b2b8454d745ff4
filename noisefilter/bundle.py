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
import os
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib import metadata, resources
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noisefilter.arrays import as_numpy, pack, unpack
from noisefilter.article import Article
from noisefilter.bins import ARRAYS as BIN_ARRAYS
from noisefilter.bins import BoostedBins
from noisefilter.classifier import FIRST_LOOK, SECOND_LOOK, NoiseClassifier, regression
from noisefilter.context import ContextFeatures
from noisefilter.curves import PiecewiseLinear
from noisefilter.errors import ModelError
from noisefilter.files import replace_file
from noisefilter.kinds import FAMILIES
from noisefilter.language import CommonWords
from noisefilter.lexical import LexicalFeatures
from noisefilter.look import CLASSES, Look
from noisefilter.model import Model
from noisefilter.policy import BudgetRow, LossBudgets

FORMAT = 2
"""Version of the bundle's format; a reader refuses a newer one."""

LARGEST = 512 * 2**20
"""Bytes; a larger file is refused."""

_MEMBERS = ("arrays.npz", "words.txt", "characters.txt", "stems.txt", "common.txt", "card.md")
_TERM_LISTS = ("words", "characters", "stems", "common")
_EPOCH = (1980, 1, 1, 0, 0, 0)
_TOLERANCE = 1e-5
_LONGEST_GRAM = 16
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


def load_model(path: str | Path | None = None) -> Model:
    """Load a model bundle; None is the default that ships in the package.

    Raises
    ------
    ModelError
        If the file is missing, is no bundle, is damaged, or is of a newer format.
    """
    return _default_model() if path is None else from_bytes(_read(path), str(path))


@functools.cache
def _default_model() -> Model:
    return from_bytes(_read(None), "the default model")


def read_manifest(path: str | Path | None = None) -> dict[str, Any]:
    """Return the manifest of a bundle without building the model; errors as in `load_model`."""
    return _members(_read(path), str(path or "the default model"))[0]


def _read(path: str | Path | None) -> bytes:
    if path is None:
        shipped = resources.files("noisefilter") / "models" / "default.noisefilter"
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
    classifier = model.classifier
    numbers, terms = _arrays_of(model)
    members = {"arrays.npz": pack(numbers), "card.md": model.card.encode()}
    members |= {f"{name}.txt": "".join(f"{term}\n" for term in terms[name]).encode() for name in _TERM_LISTS}
    manifest = {
        "noisefilter_format": FORMAT,
        "package_version": metadata.version("noisefilter"),
        "library_versions": {name: metadata.version(name) for name in _LIBRARIES},
        "classes": list(CLASSES),
        "families": list(FAMILIES),
        "features": list(SECOND_LOOK),
        "parameters": classifier.get_params(),
        "common_words_floor": model.common_words.floor,
        "budgets": [asdict(row) for row in model.budgets.rows],
        "about": dict(model.about),
        "members": {
            name: {"size": len(members[name]), "sha256": hashlib.sha256(members[name]).hexdigest()} for name in _MEMBERS
        },
    }
    rounded = _build(manifest, {key: as_numpy(array) for key, array in unpack(members["arrays.npz"]).items()}, terms, model.card)
    manifest["self_test"] = [np.round(rounded.classifier.score_article(article), 8).tolist() for article in _SELF_TEST]
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        text = json.dumps(manifest, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False)
        for name, content in [("manifest.json", text.encode()), *((name, members[name]) for name in _MEMBERS)]:
            info = zipfile.ZipInfo(name, _EPOCH)
            info.create_system = 3
            info.external_attr = 0o644 << 16
            archive.writestr(info, content)
    return buffer.getvalue()


def from_bytes(data: bytes, name: str) -> Model:
    """Return the model of a bundle's bytes, checked; `name` is for messages. Errors as in `load_model`."""
    manifest, members = _members(data, name)
    try:
        terms = {part: members[f"{part}.txt"].decode().split("\n")[:-1] for part in _TERM_LISTS}
        arrays = {key: as_numpy(array) for key, array in unpack(members["arrays.npz"]).items()}
        model = _build(manifest, arrays, terms, members["card.md"].decode())
        for article, expected in zip(_SELF_TEST, manifest["self_test"], strict=True):
            found = model.classifier.score_article(article)
            if found.shape != np.shape(expected) or not np.allclose(found, expected, rtol=0, atol=_TOLERANCE):
                raise ModelError(f"{name}: fails its self-test: train it again with this version of noisefilter")
    except ModelError as error:
        message = str(error)
        raise ModelError(message if message.startswith(name) else f"{name}: {message}") from None
    except (ArithmeticError, AttributeError, LookupError, MemoryError, RuntimeError, TypeError, ValueError) as error:
        what = " ".join(f"{type(error).__name__}: {error}".split())
        raise ModelError(f"{name}: damaged ({what[:200]}): fetch or train it again") from None
    return model


def _members(data: bytes, name: str) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Return manifest and members of a bundle, sizes and digests checked."""
    again = "fetch or train it again"
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            manifest = _manifest(archive, name, len(data))
            members = {member: archive.read(member) for member in _MEMBERS}
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


def _manifest(archive: zipfile.ZipFile, name: str, size: int) -> dict[str, Any]:
    """Return the manifest of an archive whose members are those of a bundle and no larger than the file."""
    infos = archive.infolist()
    if "manifest.json" not in archive.namelist():
        raise ModelError(_foreign(name))
    if any(info.compress_type != zipfile.ZIP_STORED or info.file_size > size for info in infos):
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


def _arrays_of(model: Model) -> tuple[dict[str, NDArray[Any]], dict[str, list[str]]]:
    classifier = model.classifier
    lexical, context = classifier.lexical_, classifier.context_
    numbers = {
        "words_idf": lexical.words_.idf_.astype(np.float32),
        "characters_idf": lexical.characters_.idf_.astype(np.float32),
        "lexical_coef": classifier.lexical_model_.coef_.astype(np.float16),
        "lexical_intercept": classifier.lexical_model_.intercept_.astype(np.float64),
        "stems_idf": np.array(list(context.idf_.values()), dtype=np.float64),
        "unseen_idf": np.array([context.unseen_idf_]),
    }
    for name, look in (("first", classifier.first_look_), ("second", classifier.second_look_)):
        numbers |= {
            f"{name}_knots": np.concatenate(look.curves_.knots_).astype(np.float64),
            f"{name}_knot_counts": np.array([len(knots) for knots in look.curves_.knots_], dtype=np.int64),
            f"{name}_average": look.curves_.average_.astype(np.float64),
            f"{name}_coef": look.model_.coef_.astype(np.float64),
            f"{name}_intercept": look.model_.intercept_.astype(np.float64),
        }
        if look.bins_ is not None:
            numbers |= {f"{name}_bins_{part}": array for part, array in look.bins_.arrays().items()}
            numbers[f"{name}_bins_average"] = look.average_.astype(np.float64)
    terms = {
        "words": lexical.words_.get_feature_names_out().tolist(),
        "characters": lexical.characters_.get_feature_names_out().tolist(),
        "stems": list(context.idf_),
        "common": sorted(model.common_words.words),
    }
    return numbers, terms


def _build(
    manifest: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]], terms: Mapping[str, list[str]], card: str
) -> Model:
    """Put the fitted estimators together from plain numbers, shapes checked."""
    if [tuple(manifest[name]) for name in ("classes", "families", "features")] != [CLASSES, FAMILIES, SECOND_LOOK]:
        made_by = str(manifest["package_version"])[:20]
        raise ModelError(
            f"a model of noisefilter {made_by} with other features: train it again, or install that version"
        )
    parameters = {key: value for key, value in manifest["parameters"].items() if key in NoiseClassifier().get_params()}
    if not 1 <= parameters["shortest"] <= parameters["longest"] <= _LONGEST_GRAM:
        raise ValueError("the lengths of the character n-grams are out of range")
    classifier = NoiseClassifier(**parameters)
    shapes: dict[str, tuple[int, ...]] = {
        "words_idf": (len(terms["words"]),),
        "characters_idf": (len(terms["characters"]),),
        "lexical_coef": (len(FAMILIES), len(terms["words"]) + len(terms["characters"])),
        "lexical_intercept": (len(FAMILIES),),
        "stems_idf": (len(terms["stems"]),),
        "unseen_idf": (1,),
    }
    for look, columns in (("first", FIRST_LOOK), ("second", SECOND_LOOK)):
        total = int(arrays[f"{look}_knot_counts"].sum())
        bins = len(arrays.get(f"{look}_bins_average", ()))
        shapes |= {
            f"{look}_knot_counts": (len(columns),),
            f"{look}_knots": (total,),
            f"{look}_average": (total,),
            f"{look}_coef": (len(CLASSES), total + bins),
            f"{look}_intercept": (len(CLASSES),),
        }
    for name, expected in shapes.items():
        if arrays[name].shape != expected:
            raise ValueError(f"{name} has shape {arrays[name].shape}, not {expected}")
        if not np.isfinite(arrays[name]).all():
            raise ValueError(f"{name} is not finite")
    classifier.lexical_ = LexicalFeatures(
        **{name: parameters[name] for name in ("min_df", "max_words", "max_characters", "shortest", "longest")}
    ).restore(terms["words"], arrays["words_idf"], terms["characters"], arrays["characters_idf"])
    classifier.lexical_model_ = regression(FAMILIES, arrays["lexical_coef"], arrays["lexical_intercept"])
    classifier.context_ = ContextFeatures()
    classifier.context_.idf_ = dict(zip(terms["stems"], arrays["stems_idf"].tolist(), strict=True))
    classifier.context_.unseen_idf_ = float(arrays["unseen_idf"][0])
    classifier.first_look_ = _look(arrays, "first", classifier.first_look(), len(FIRST_LOOK))
    classifier.second_look_ = _look(arrays, "second", classifier.second_look(), len(SECOND_LOOK))
    classifier.classes_ = np.array(CLASSES)
    floor = float(manifest["common_words_floor"])
    if not 0 <= floor <= 1 or not isinstance(manifest["about"], dict):
        raise ValueError("the manifest is not of this format")
    rows = tuple(BudgetRow(**row) for row in manifest["budgets"])
    _check_budgets(rows)
    return Model(classifier, CommonWords(frozenset(terms["common"]), floor), LossBudgets(rows), manifest["about"], card)


def _check_budgets(rows: Sequence[BudgetRow]) -> None:
    budgets = [row.budget for row in rows]
    thresholds = [row.threshold for row in rows]
    if not rows or not all(math.isfinite(value) for row in rows for value in asdict(row).values()):
        raise ValueError("the budget table is empty or not finite")
    if budgets != sorted(budgets) or thresholds != sorted(thresholds, reverse=True) or thresholds[-1] < 0:
        raise ValueError("the budget table does not rise")


def _look(arrays: Mapping[str, NDArray[Any]], name: str, look: Look, columns: int) -> Look:
    counts = arrays[f"{name}_knot_counts"]
    if (counts < 1).any():
        raise ValueError("knot_counts are not positive")
    look.curves_ = PiecewiseLinear(look.knots)
    look.curves_.knots_ = np.split(arrays[f"{name}_knots"], np.cumsum(counts)[:-1])
    look.curves_.average_ = arrays[f"{name}_average"]
    look.bins_, look.average_ = None, np.empty(0)
    if f"{name}_bins_average" in arrays:
        look.average_ = arrays[f"{name}_bins_average"]
        parts = {part: arrays[f"{name}_bins_{part}"] for part in BIN_ARRAYS}
        look.bins_ = BoostedBins(look.rounds, look.leaves).restore(parts, columns)
        if look.average_.shape != (look.bins_.count,) or not np.isfinite(look.average_).all():
            raise ValueError("the bins and their averages do not match")
    look.model_ = regression(CLASSES, arrays[f"{name}_coef"], arrays[f"{name}_intercept"])
    return look


def export_pipeline(model: Model, path: Path) -> None:
    """Write the fitted scikit-learn classifier as a joblib pickle.

    A pickle runs code when it is loaded and holds only for this version of scikit-learn: for your own
    use, never to pass on.
    """
    import joblib  # noqa: PLC0415

    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        joblib.dump(model.classifier, temporary)
        os.replace(temporary, path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise ModelError(f"{path}: cannot be written ({error.strerror}): choose another -o") from None
