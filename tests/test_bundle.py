import contextlib
import hashlib
import io
import json
import pickle
import random
import tracemalloc
import zipfile

import joblib
import numpy as np
import pytest
from bundle_support import MEMBERS, members_of, refused, sealed, zipped

from noisefilter.article import Article
from noisefilter.bundle import FORMAT, export_pipeline, from_bytes, load_model, read_manifest, save_model, to_bytes
from noisefilter.errors import ModelError
from noisefilter.policy import Reason

ARTICLE = Article(
    None,
    [
        "Harbour bridge to close for six weeks",
        "The harbour bridge will close on Monday for six weeks, the port authority said.",
        "Advertisement",
        "Flyweight Marisol Costa choked out Petra Lindqvist in Tampa.",
        "Подпишитесь",
        "",
    ],
)


def test_a_saved_model_scores_as_before(tiny_model, tmp_path, corpus):
    path = tmp_path / "a.noisefilter"
    saved = save_model(tiny_model, path)
    loaded = load_model(path)
    for article in [ARTICLE, *(entry.article for entry in corpus[:5])]:
        assert loaded.score(article) == saved.score(article)
        np.testing.assert_allclose(
            loaded.classifier.score_article(article), tiny_model.classifier.score_article(article), atol=1e-5
        )
    assert loaded.budgets == tiny_model.budgets
    assert loaded.common_words == tiny_model.common_words
    assert loaded.card == tiny_model.card
    assert dict(loaded.about) == dict(tiny_model.about)
    assert loaded.classifier.get_params() == tiny_model.classifier.get_params()


def test_the_same_model_has_the_same_bytes(tiny_model, tiny_bundle):
    assert to_bytes(tiny_model) == tiny_bundle
    assert to_bytes(from_bytes(tiny_bundle, "a.noisefilter")) == tiny_bundle


def test_the_manifest_tells_what_the_bundle_holds(tiny_model, tmp_path):
    path = tmp_path / "a.noisefilter"
    save_model(tiny_model, path)
    manifest = read_manifest(path)
    members = members_of(path.read_bytes())
    assert list(members) == MEMBERS
    assert manifest["noisefilter_format"] == FORMAT
    assert manifest["classes"] == ["boilerplate", "content", "off_topic"]
    assert {"numpy", "scipy", "scikit-learn"} <= set(manifest["library_versions"])
    assert [row["budget"] for row in manifest["budgets"]] == [row.budget for row in tiny_model.budgets.rows]
    for name in MEMBERS[1:]:
        assert manifest["members"][name]["size"] == len(members[name])
        assert manifest["members"][name]["sha256"] == hashlib.sha256(members[name]).hexdigest()


@pytest.mark.parametrize("share", [0, 0.001, 0.01, 0.3, 0.5, 0.9, 0.999])
def test_a_truncated_bundle_is_refused(tiny_bundle, share):
    refused(tiny_bundle[: int(len(tiny_bundle) * share)])


@pytest.mark.parametrize("name", MEMBERS)
@pytest.mark.parametrize("place", [0, 0.37, 0.999])
def test_a_flipped_byte_is_found_in_any_member(tiny_bundle, name, place):
    filled = tiny_bundle if name != "card.md" else sealed({**members_of(tiny_bundle), "card.md": b"# Card\n" * 20})
    content = members_of(filled)[name]
    with zipfile.ZipFile(io.BytesIO(filled)) as archive:
        start = filled.index(content, archive.getinfo(name).header_offset)
    at = start + int(place * (len(content) - 1))
    refused(filled[:at] + bytes([filled[at] ^ 0x11]) + filled[at + 1 :])


@pytest.mark.parametrize("part", [slice(0, 30), slice(None), slice(-700, None)], ids=["front", "anywhere", "directory"])
def test_a_flipped_byte_is_refused_or_harmless(tiny_bundle, part):
    chance = random.Random(5)
    harmless = []
    for at in chance.choices(range(len(tiny_bundle))[part], k=60):
        damaged = tiny_bundle[:at] + bytes([tiny_bundle[at] ^ (1 << chance.randrange(8))]) + tiny_bundle[at + 1 :]
        with contextlib.suppress(ModelError):
            harmless.append(from_bytes(damaged, "a.noisefilter"))
    assert len(harmless) < 60
    assert {to_bytes(model) == tiny_bundle for model in harmless} <= {True}


@pytest.mark.parametrize("name", MEMBERS)
def test_a_missing_member_is_refused(tiny_bundle, name):
    members = members_of(tiny_bundle)
    del members[name]
    refused(zipped(members), "not a noisefilter model" if name == "manifest.json" else "members are missing or strange")


@pytest.mark.parametrize("name", ["evil.pkl", "../arrays.npz", "models/"])
def test_an_extra_member_is_refused(tiny_bundle, name):
    refused(zipped({**members_of(tiny_bundle), name: b"x"}), "members are missing or strange")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_member_that_comes_twice_is_refused(tiny_bundle):
    buffer = io.BytesIO(tiny_bundle)
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.writestr("card.md", b"another")
    refused(buffer.getvalue(), "members are missing or strange")


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_compressed_members_are_refused(tiny_bundle, method):
    refused(zipped(members_of(tiny_bundle), method), "not stored plainly")
    members = members_of(tiny_bundle)
    refused(sealed({**members, "arrays.npz": zipped(members_of(members["arrays.npz"]), method)}), "not stored plainly")


@pytest.mark.parametrize("name", MEMBERS[1:])
def test_a_wrong_digest_is_refused(tiny_bundle, name):
    members = members_of(tiny_bundle)
    refused(zipped({**members, name: members[name] + b" "}), f"{name} does not match its digest")


@pytest.mark.parametrize("name", [b"card.md", b"manifest.json"])
def test_a_size_beyond_the_file_is_not_allocated(tiny_bundle, name):
    claim = (2**32 - 2).to_bytes(4, "little")
    at = tiny_bundle.rindex(b"PK\x01\x02", 0, tiny_bundle.rindex(name))
    tracemalloc.start()
    refused(tiny_bundle[: at + 20] + claim + claim + tiny_bundle[at + 28 :])
    refused(tiny_bundle[: at + 24] + claim + tiny_bundle[at + 28 :])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 50 * len(tiny_bundle)


@pytest.mark.parametrize("newer", [FORMAT + 1, 99, 10**30])
def test_a_newer_format_says_upgrade(tiny_bundle, newer):
    change = {"noisefilter_format": newer}
    refused(sealed(members_of(tiny_bundle), lambda manifest: manifest.update(change)), "newer", "upgrade noisefilter")
    members = {"manifest.json": json.dumps({**change, "members": "elsewhere"}).encode(), "weights.bin": b"x"}
    refused(zipped(members), "newer", "upgrade noisefilter")


def test_an_older_format_says_train_again(tiny_bundle):
    refused(sealed(members_of(tiny_bundle), lambda m: m.update(noisefilter_format=1)), "older", "train it again")


@pytest.mark.parametrize(
    "foreign",
    [b"", b"The river rose.", pickle.dumps({"a": 1}), b"\0" * 5000, zipped({}), zipped({"words.txt": b"a\n"})],
    ids=["empty", "text", "pickle", "zeros", "empty zip", "other zip"],
)
def test_a_foreign_file_says_what_to_give(foreign):
    refused(foreign, "not a noisefilter model: give a file that `noisefilter train` wrote")


@pytest.mark.parametrize("load", [load_model, read_manifest])
@pytest.mark.parametrize("name", ["missing.noisefilter", "."])
def test_a_path_that_cannot_be_read_is_named(tmp_path, load, name):
    with pytest.raises(ModelError, match="cannot be read") as caught:
        load(tmp_path / name)
    assert str(tmp_path) in str(caught.value)


def test_a_file_that_is_too_large_is_refused_unread(tmp_path):
    path = tmp_path / "huge.noisefilter"
    with path.open("wb") as stream:
        stream.truncate(600 * 2**20)
    with pytest.raises(ModelError, match="larger than 512 MiB"):
        load_model(path)


def test_a_model_that_cannot_be_written_is_an_error(tiny_model, tmp_path):
    with pytest.raises(ModelError, match=r"cannot be written .* choose another -o"):
        save_model(tiny_model, tmp_path / "missing" / "a.noisefilter")


def test_what_protects_a_paragraph_is_told(default_model):
    shields = [entry.shield for entry in default_model.score(ARTICLE)]
    assert shields == [Reason.TITLE, None, None, None, Reason.NO_KNOWN_FEATURE, Reason.NO_KNOWN_FEATURE]


@pytest.mark.parametrize("offset", range(8))
@pytest.mark.parametrize("kernel", [None, False])
def test_arrays_may_begin_at_any_byte(tiny_bundle, offset, kernel):
    expected = from_bytes(tiny_bundle, "a.noisefilter", kernel=False).score(ARTICLE)
    found = from_bytes(b"x" * offset + tiny_bundle, "a.noisefilter", kernel=kernel).score(ARTICLE)
    np.testing.assert_allclose(found.noise, expected.noise, rtol=0, atol=1e-9)


def test_an_exported_pipeline_goes_where_a_link_points(tiny_model, tmp_path):
    (tmp_path / "real").touch()
    (tmp_path / "link").symlink_to("real")
    export_pipeline(tiny_model, tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").stat().st_size > 0


def test_an_exported_pipeline_is_the_classifier(tiny_model, tmp_path):
    path = tmp_path / "pipeline.joblib"
    export_pipeline(tiny_model, path)
    loaded = joblib.load(path)
    np.testing.assert_array_equal(loaded.score_article(ARTICLE), tiny_model.classifier.score_article(ARTICLE))
    assert list(tmp_path.iterdir()) == [path]
    with pytest.raises(ModelError, match="cannot be written"):
        export_pipeline(tiny_model, tmp_path / "missing" / "pipeline.joblib")
