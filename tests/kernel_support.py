"""What the tests of the kernel share: strange texts, and what it means that two scorers agree."""

import numpy as np
from hypothesis import strategies as st

from noisefilter.article import Article
from noisefilter.features import SECOND_LOOK
from noisefilter.kernel import Native
from noisefilter.reference import Reference

PIECES = [
    *"aAzZsSiIkK019_-+.,:;!?'\"()[]{}<>|/\\@#$£€₹%&*=~^`°",
    *" \t\n\r\v\f\x1c\x1f\x00\x02\x85\u00a0\u2003\u2028\u3000",
    *"éÉßñøœŒžıİſKÅµªº²½©®™•·»«›→—–‑−…‘’“”„′″¨´¯",
    *"ΑΣσςωПодж字漢かǅǆﬁ①㎏\u0301\u0308\u200b\u200d\ufeff\u00ad\u061c\u1160\ud800🙂🇬🇧",
    *"https:// HTTP://x www. WWW.a.b a.com x-y.co.uk:8 bbc.news/x".split(),
    *"A.B.C.D.com io.io one.two.three.four.five.org".split(),
    *"me@you.org a.b+c@d-e.f @you #tag x@y @@ ## 9:30 12.45 12:30:45 1:2 123:45".split(),
    *"1/2/2020 31.12.99 2020-1-2 1/2/3rd".split(),
    *"$5 $50 £1,000.50 €9.9m 1,2,3 1984 2024 2124 99 3.5% 007 1st 9am 30pm".split(),
    *"Photo: By READ MORE: Sign up » Share | Related> O'Neill's James' dogs class 's ''s".split(),
    *"don't U.S. Mr. WORD Word wORD".split(),
    *"the The THE of said Monday bridge newsletter Advertisement Copyright".split(),
]
TEXTS = st.lists(st.sampled_from(PIECES) | st.text(st.characters(), max_size=6), max_size=30).map("".join) | st.lists(
    st.sampled_from(PIECES), max_size=20
).map(" ".join)
ARTICLES = st.builds(
    Article,
    st.none() | TEXTS,
    st.lists(TEXTS | st.sampled_from(["", "Advertisement", "The bridge is closed."]), max_size=7),
)


def assert_alike(article, kernel, reference):
    assert isinstance(kernel.scorer, Native)
    assert isinstance(reference.scorer, Reference)
    everything = range(len(article.paragraphs))
    mine, theirs = kernel.scorer.read(article), reference.scorer.read(article)
    assert mine.known == theirs.known
    assert mine.counts == theirs.counts
    if not everything:
        assert mine.probabilities(everything) == []
        return
    seen, expected = np.array(mine.numbers(everything)), reference.classifier.numbers(article)
    far = np.abs(seen - expected) > 1e-9 * (1 + np.abs(expected))
    assert not far.any(), [(SECOND_LOOK[column], int(row)) for row, column in np.argwhere(far)[:5]]
    np.testing.assert_allclose(mine.probabilities(everything), theirs.probabilities(everything), rtol=0, atol=1e-9)
