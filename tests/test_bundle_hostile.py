"""Bundles whose digests fit but whose content was made to deceive."""

import io
import pickle
import subprocess
import sys
from contextlib import suppress

import numpy as np
import pytest
from bundle_support import members_of, refused, sealed, zipped

from noisefilter.bundle import from_bytes
from noisefilter.cleaner import NoiseFilter
from noisefilter.errors import ModelError
from noisefilter.explanation import explain


def with_arrays(data, change):
    members = members_of(data)
    arrays = members_of(members["arrays.npz"])
    change(arrays)
    return sealed({**members, "arrays.npz": zipped(arrays)})


def named(arrays, ending):
    """Return the last array whose name ends so: the decisive one, whatever the stages are called."""
    return max(name for name in arrays if name.endswith(ending))


def npy(array, **options):
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, np.asarray(array), **options)
    return buffer.getvalue()


def header(text, body=b""):
    padded = text.encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + len(padded).to_bytes(2, "little") + padded + body


class Bomb:
    exploded = False

    def __reduce__(self):
        return Bomb.explode, ()

    @staticmethod
    def explode():
        Bomb.exploded = True


def object_array(arrays):
    arrays[named(arrays, "coef.npy")] = npy(np.array([Bomb()], dtype=object), allow_pickle=True)


def object_header(arrays):
    description = "{'descr': '|O', 'fortran_order': False, 'shape': (1,), }"
    arrays[named(arrays, "coef.npy")] = header(description, pickle.dumps([Bomb()]))


def bare_pickle(arrays):
    arrays[named(arrays, "coef.npy")] = pickle.dumps(Bomb())


@pytest.mark.parametrize("change", [object_array, object_header, bare_pickle])
def test_a_pickle_is_never_loaded(tiny_bundle, change):
    refused(with_arrays(tiny_bundle, change))
    refused(sealed({**members_of(tiny_bundle), "arrays.npz": pickle.dumps(Bomb())}))
    assert not Bomb.exploded


def changed(name, change):
    def apply(arrays):
        member = named(arrays, name)
        arrays[member] = npy(change(np.load(io.BytesIO(arrays[member]))))

    return apply


def spoilt(number):
    def apply(array):
        array.flat[0] = number
        return array

    return apply


@pytest.mark.parametrize(
    ("name", "change", "words"),
    [
        ("coef.npy", lambda array: array[:, :-1], "shape"),
        ("coef.npy", np.transpose, ""),
        ("lexical_coef.npy", lambda array: array[:2], "shape"),
        ("words_idf.npy", lambda array: array[:-1], "shape"),
        ("stems_idf.npy", lambda array: np.append(array, 1.0), "shape"),
        ("intercept.npy", lambda _: np.float64(1), "shape"),
        ("coef.npy", spoilt(np.nan), "not finite"),
        ("words_idf.npy", spoilt(np.inf), "not finite"),
        ("knots.npy", spoilt(-np.inf), "not finite"),
        ("knot_counts.npy", spoilt(-1), ""),
        ("knot_counts.npy", spoilt(2**62), ""),
        ("coef.npy", lambda array: array.astype(complex), "not what its header says"),
        ("coef.npy", lambda array: array.astype("U8"), "not what its header says"),
        ("coef.npy", lambda array: array + 1000 * np.arange(3)[:, None], "self-test"),
        ("coef.npy", spoilt(1e308), ""),
        ("coef.npy", lambda array: array + 1e308, ""),
        ("first_coef.npy", lambda array: array * 1e305, ""),
        ("second_bins_border.npy", lambda array: np.full_like(array, -1e308), "self-test"),
        ("coef.npy", lambda array: array[None], "shape"),
        ("intercept.npy", lambda array: array + np.array([0, 1, 5]), "self-test"),
        ("bins_feature.npy", spoilt(10**6), "trees"),
        ("bins_feature.npy", spoilt(-2), "trees"),
        ("bins_feature.npy", spoilt(-1), ""),
        ("bins_feature.npy", lambda array: array[:, None], ""),
        ("bins_left.npy", spoilt(0), "trees"),
        ("bins_left.npy", spoilt(-1), "trees"),
        ("bins_right.npy", spoilt(2**31 - 1), "trees"),
        ("bins_right.npy", lambda array: array[:-1], ""),
        ("bins_right.npy", lambda array: array[::-1], "trees"),
        ("bins_roots.npy", spoilt(-(2**31)), "trees"),
        ("bins_roots.npy", lambda array: array[:0], "trees"),
        ("bins_roots.npy", lambda array: array.astype("<i8"), ""),
        ("bins_border.npy", spoilt(np.nan), "not finite"),
        ("bins_border.npy", lambda array: array[:, None], "shape"),
        ("bins_average.npy", lambda array: array[:, None], "shape"),
        ("bins_average.npy", lambda array: array[:-1], "shape"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(tiny_bundle, name, change, words):
    refused(with_arrays(tiny_bundle, changed(name, change)), words)


def test_a_tree_that_no_root_leads_to_points_nowhere_else(tiny_bundle):
    def apply(arrays):
        for part, more in (("feature", [0]), ("border", [1e308]), ("left", [0]), ("right", [0])):
            changed(f"second_bins_{part}.npy", lambda array, more=more: np.append(array, more).astype(array.dtype))(
                arrays
            )

    refused(with_arrays(tiny_bundle, apply), "trees")


@pytest.mark.parametrize("count", [2, 100_000])
def test_trees_that_share_a_root_are_refused(tiny_bundle, count):
    """Each root costs memory and time: the file would be no measure of them."""
    refused(with_arrays(tiny_bundle, changed("second_bins_roots.npy", lambda roots: np.repeat(roots, count))), "trees")


@pytest.mark.parametrize("side", ["left", "right"])
def test_a_leaf_that_leads_on_is_refused(tiny_bundle, side):
    members = members_of(tiny_bundle)
    feature = np.load(io.BytesIO(members_of(members["arrays.npz"])["second_bins_feature.npy"]))
    leaf = int(np.flatnonzero(feature == -1)[0])

    def apply(array):
        array[leaf] += 1
        return array

    refused(with_arrays(tiny_bundle, changed(f"second_bins_{side}.npy", apply)), "trees")


@pytest.mark.parametrize("name", ["words.txt", "characters.txt", "stems.txt", "common.txt"])
@pytest.mark.parametrize("kernel", [None, False])
def test_odd_term_lists_are_refused_or_harmless(tiny_bundle, name, kernel):
    members = members_of(tiny_bundle)
    terms = members[name]
    for odd in (
        *(b"", terms + b"more\n", terms[:-1], terms + b"x" * 3_000_000, terms.replace(b"\n", b"x" * 10**6 + b"\n", 1)),
        *(b"\n" * 10**6, b"the\n" * terms.count(b"\n"), terms.replace(b"\n", b"\0\n", 9), b"\xff" + terms),
        *(b"\xed\xa0\x80" + terms, terms.replace(b"\n", b"\r\n")),
    ):
        with suppress(ModelError):
            model = from_bytes(sealed({**members, name: odd}), "a.noisefilter", kernel=kernel)
            cleaned = NoiseFilter(model).clean("The river rose.\n\nAdvertisement")
            assert len(explain(model, cleaned)) == 2


DESCRIPTION = "{'descr': '<f8', 'fortran_order': False, 'shape': %s, }"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x93NUMPY",
        b"\x93NUMPY\x02\x00" + bytes(40),
        header(DESCRIPTION % "(1099511627776,)", bytes(8)),
        header(DESCRIPTION % "(-1,)", bytes(8)),
        header(DESCRIPTION % "(0, 4611686018427387904, 4)"),
        header(DESCRIPTION % "'many'"),
        header("{'descr': 'f8'}"),
        header("not a header"),
        header("(" * 150 + ")" * 150),
        header("-" * 9000 + "1"),
        header("[" * 20_000),
        header("{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (1,), }", bytes(8)),
    ],
    ids=(
        "empty, mark only, version 2, huge shape, negative shape, overflowing shape, text shape, no shape, text, "
        "brackets, signs, long, records"
    ).split(", "),
)
def test_a_strange_array_header_is_refused(tiny_bundle, content):
    refused(with_arrays(tiny_bundle, lambda arrays: arrays.update({"unseen_idf.npy": content})))


def test_an_encrypted_array_is_refused(tiny_bundle):
    members = members_of(tiny_bundle)
    arrays = bytearray(members["arrays.npz"])
    for mark, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        arrays[arrays.index(mark) + flags] |= 1
    refused(sealed({**members, "arrays.npz": bytes(arrays)}))


def test_a_missing_array_is_refused(tiny_bundle):
    refused(with_arrays(tiny_bundle, lambda arrays: arrays.pop(named(arrays, "coef.npy"))), "coef")


MANIFESTS = {
    "a list of classes cut short": lambda manifest: manifest["classes"].pop(),
    "another feature": lambda manifest: manifest["features"].append("moon_phase"),
    "no parameters": lambda manifest: manifest.pop("parameters"),
    "no budgets": lambda manifest: manifest.pop("budgets"),
    "a strange budget": lambda manifest: manifest["budgets"][0].update(colour="red"),
    "a threshold of text": lambda manifest: manifest["budgets"][0].update(threshold="0.5"),
    "a threshold not finite": lambda manifest: manifest["budgets"][0].update(threshold=float("nan")),
    "a floor not finite": lambda manifest: manifest.update(common_words_floor=float("nan")),
    "a floor of text": lambda manifest: manifest.update(common_words_floor="low"),
    "no self-test": lambda manifest: manifest.pop("self_test"),
    "an empty self-test": lambda manifest: manifest.update(self_test=[]),
    "a self-test of text": lambda manifest: manifest["self_test"].__setitem__(0, "fine"),
    "a ragged self-test": lambda manifest: manifest["self_test"][0].append([1]),
    "another self-test": lambda manifest: manifest["self_test"][0].__setitem__(0, [0.2, 0.3, 0.5]),
    "budgets that fall": lambda manifest: manifest["budgets"].reverse(),
    "no members": lambda manifest: manifest.pop("members"),
    "a size that is another": lambda manifest: manifest["members"]["card.md"].update(size=10**9),
    "members that are none": lambda manifest: manifest.update(members=None),
    "gram lengths of text": lambda manifest: manifest["parameters"].update(shortest="two"),
    "gram lengths that are no integers": lambda manifest: manifest["parameters"].update(shortest=2.0),
    "gram lengths of truth": lambda manifest: manifest["parameters"].update(shortest=True),
    "parameters that are none": lambda manifest: manifest.update(parameters=None),
    "a missing parameter": lambda manifest: manifest["parameters"].pop("longest"),
    "about that is none": lambda manifest: manifest.pop("about"),
}


@pytest.mark.parametrize("name", MANIFESTS)
def test_a_strange_manifest_is_refused(tiny_bundle, name):
    refused(sealed(members_of(tiny_bundle), MANIFESTS[name]))


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{}", b"null", b"\xff", b"[" * 100_000, b'{"noisefilter_format": "1"}']
)
def test_a_manifest_that_is_none_is_refused(tiny_bundle, content):
    refused(zipped({**members_of(tiny_bundle), "manifest.json": content}))


LOADING = """
import sys
from noisefilter.bundle import load_model
from noisefilter.errors import ModelError

try:
    load_model(sys.argv[1])
except ModelError:
    print("refused")
"""


@pytest.mark.parametrize("name", ["shortest", "longest"])
def test_settings_that_would_take_forever_are_refused(tiny_bundle, tmp_path, name):
    endless = {name: -(10**10) if name == "shortest" else 10**10}
    path = tmp_path / "a.noisefilter"
    path.write_bytes(sealed(members_of(tiny_bundle), lambda manifest: manifest["parameters"].update(endless)))
    result = subprocess.run(
        [sys.executable, "-c", LOADING, path], capture_output=True, text=True, check=False, timeout=20
    )
    assert (result.stdout, result.stderr) == ("refused\n", "")
