import pytest

import noisefilter as nf
from noisefilter.article import Article
from noisefilter.language import CommonWords
from noisefilter.policy import Reason

GERMAN = [
    "Hafenbrücke wird für sechs Wochen gesperrt",
    (
        "Die Hafenbrücke wird ab Montag für sechs Wochen gesperrt, teilte die Hafenbehörde mit. Taucher hatten in zwei "
        "der elf Pfeiler Risse gefunden, die tiefer sind als vermutet."
    ),
    (
        "Lastwagen werden über die nördliche Umgehungsstraße geleitet. „Wir wissen, was das für die Dörfer bedeutet“, "
        "sagte die Direktorin."
    ),
    "Lesen Sie auch: Fünf Ausflüge für das Wochenende",
    "Jetzt Newsletter abonnieren",
]
FRENCH = [
    "Le pont du port fermé pendant six semaines",
    (
        "Le pont du port sera fermé à partir de lundi pendant six semaines, a annoncé l'autorité portuaire. Des "
        "plongeurs ont trouvé des fissures dans deux des onze piles."
    ),
    (
        "Les camions passeront par la rocade nord. « Nous savons ce que cela signifie pour les villages », a dit la "
        "directrice du port."
    ),
    "À lire aussi : cinq idées de sortie pour ce week-end",
    "Abonnez-vous à notre lettre d'information",
]
RUSSIAN = [
    "Портовый мост закроют на шесть недель",
    (
        "Портовый мост закроют с понедельника на шесть недель, сообщили в управлении порта. Водолазы нашли трещины в "
        "двух из одиннадцати опор, и они глубже, чем предполагали."
    ),
    "Грузовики пойдут по северной объездной дороге, сказали в управлении.",
    "Читайте также: пять идей на выходные",
]
CHINESE = [
    "港口大桥将关闭六周",
    "港务局表示，港口大桥将从周一起关闭六周，因为潜水员在十一个桥墩中的两个发现了裂缝。",
    "卡车将绕行北环路，局长说：“我们知道这对村庄意味着什么。”",
    "更多新闻，请订阅我们的通讯！",
]
ENGLISH = [
    (
        "The harbour bridge will close on Monday for six weeks, the port authority said, after divers found cracks in "
        "two of its eleven piers."
    ),
    "Lorries will be sent over the northern ring road. “We know what that means for the villages,” the director said.",
]


@pytest.fixture(scope="module")
def eager(default_model):
    """Return a cleaner that drops whatever it may."""
    return nf.NoiseFilter(default_model, loss_budget=1, cap=1)


@pytest.mark.parametrize("paragraphs", [GERMAN, FRENCH, RUSSIAN], ids=["german", "french", "russian"])
def test_another_language_is_kept_whole(eager, paragraphs):
    cleaned = eager.clean("\n\n".join(paragraphs))
    assert cleaned.dropped == ()
    assert not eager.model.common_words.read_like(cleaned.article)
    assert {decision.reason for decision in cleaned.decisions} <= {
        Reason.CONTENT,
        Reason.TITLE,
        Reason.OTHER_LANGUAGE,
        Reason.NO_KNOWN_FEATURE,
    }


@pytest.mark.parametrize(
    "paragraphs",
    [CHINESE, ["Новости дня.", "Подпишитесь на рассылку!"], ["これは「新聞」です。", "登録はこちら、無料！"]],
    ids=["chinese", "short russian", "short japanese"],
)
def test_an_unknown_script_is_kept_whole(eager, paragraphs):
    assert eager.clean("\n\n".join(paragraphs)).dropped == ()


@pytest.mark.parametrize("foreign", ["Подпишитесь на рассылку!", "请订阅我们的通讯，谢谢。", "Новости дня."])
def test_a_foreign_paragraph_in_an_english_article_is_kept(eager, foreign):
    cleaned = eager.clean("\n\n".join([*ENGLISH, foreign]))
    assert foreign in [paragraph.text for paragraph in cleaned.kept]


@pytest.mark.parametrize(
    ("paragraphs", "expected"),
    [
        (ENGLISH, True),
        (GERMAN, False),
        (FRENCH, False),
        (RUSSIAN, False),
        ([*ENGLISH, GERMAN[3], GERMAN[4]], True),
        (["Jetzt Newsletter abonnieren"], True),
        ([], True),
    ],
)
def test_common_words_tell_the_language(default_model, paragraphs, expected):
    assert default_model.common_words.read_like(Article(None, paragraphs)) is expected


def test_the_corpus_reads_like_english(default_model, corpus):
    strange = [entry.id for entry in corpus if not default_model.common_words.read_like(entry.article)]
    assert len(strange) <= len(corpus) / 200, strange


def test_common_words_are_learnt_from_the_articles():
    one = Article(None, ["the river and the town and the bridge"] * 5)
    other = Article(None, ["the flood and the town"] * 5)
    learnt = CommonWords.learn([one, other])
    assert learnt == CommonWords.learn([other, one])
    assert {"the", "and", "town"} <= learnt.words
    assert 0 < learnt.floor < 1
    assert learnt.read_like(one)
    assert not learnt.read_like(Article(None, ["der fluss ist in die stadt getreten"] * 5))


@pytest.mark.parametrize("articles", [[], [Article(None, [])], [Article(None, ["1 2 3"])]])
def test_without_words_every_language_may_be_it(articles):
    assert CommonWords.learn(articles).read_like(Article(None, GERMAN))
