"""Short English reviews with a sentiment, and German ones among them, put together from word lists of our own."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer

from curation.core.arrays import Float32Array, IntArray

NEGATIVE, POSITIVE = 0, 1
CLASSES = ("negative", "positive")
N_FEATURES = 64
_Words = dict[str, Sequence[str]]
ENGLISH: _Words = {
    "thing": (
        *("the film", "this book", "the hotel room", "our dinner", "the new phone", "her concert", "the train"),
        *("that museum", "the last episode", "his speech", "the coffee", "the garden tour", "my new bicycle"),
        *(
            "the service",
            "the whole story",
            "the music",
            "this game",
            "the old camera",
            "the staff",
            "the morning walk",
        ),
    ),
    "positive": (
        *("wonderful", "a real joy", "better than expected", "charming", "worth every penny", "delightful", "superb"),
        *("warm and funny", "very well made", "a pleasant surprise", "fresh and lively", "quite brilliant"),
    ),
    "negative": (
        *("awful", "a waste of time", "worse than expected", "boring", "not worth the money", "dreadful", "clumsy"),
        *("cold and empty", "badly made", "a bitter disappointment", "slow and dull", "quite annoying"),
    ),
    "more positive": (
        *("I would gladly go again", "we laughed a lot", "everybody smiled afterwards", "I recommend it warmly"),
        *("it made my day", "the time flew by", "we were thrilled"),
    ),
    "more negative": (
        *("I want my money back", "we left early", "nobody was happy afterwards", "I cannot recommend it"),
        *("it ruined my day", "the hours dragged on", "we were let down"),
    ),
    "frame": (
        *("{thing} was {mood} and {more}.", "I found {thing} {mood}, {more}.", "honestly, {thing} is {mood}; {more}."),
        *("{more}, because {thing} was {mood}.", "last week {thing} seemed {mood}. {more}!"),
        *("my friends say that {thing} is {mood}, and {more}.", "what can I say? {thing} was simply {mood}, {more}."),
    ),
}
GERMAN: _Words = {
    "thing": (
        *("der Film", "dieses Buch", "das Hotelzimmer", "unser Abendessen", "das neue Telefon", "ihr Konzert"),
        *("die Zugfahrt", "jenes Museum", "die letzte Folge", "seine Rede", "der Kaffee", "mein neues Fahrrad"),
        *("die Bedienung", "die ganze Geschichte", "die Musik", "dieses Spiel", "die alte Kamera", "das Personal"),
    ),
    "positive": (
        *("wunderbar", "eine echte Freude", "besser als gedacht", "bezaubernd", "jeden Cent wert", "herrlich"),
        *("warm und lustig", "sehr gut gemacht", "eine angenehme Überraschung", "frisch und lebendig", "großartig"),
    ),
    "negative": (
        *("furchtbar", "reine Zeitverschwendung", "schlechter als gedacht", "langweilig", "das Geld nicht wert"),
        *("kalt und leer", "schlecht gemacht", "eine bittere Enttäuschung", "zäh und öde", "ziemlich nervig"),
    ),
    "more positive": (
        *("ich würde gerne wieder hingehen", "wir haben viel gelacht", "ich kann es nur empfehlen"),
        *("das hat mir den Tag gerettet", "die Zeit verging wie im Flug", "wir waren begeistert"),
    ),
    "more negative": (
        *("ich möchte mein Geld zurück", "wir sind früh gegangen", "ich kann es nicht empfehlen"),
        *("das hat mir den Tag verdorben", "die Stunden zogen sich hin", "wir waren enttäuscht"),
    ),
    "frame": (
        *("{thing} war {mood} und {more}.", "ich fand {thing} {mood}, {more}.", "ja, {thing} ist {mood}; {more}."),
        *("{more}, denn {thing} war {mood}.", "letzte Woche schien {thing} {mood}. {more}!"),
        *(
            "man hört, dass {thing} {mood} ist, und {more}.",
            "was soll man sagen? {thing} war {mood}, {more}.",
        ),
    ),
}


@dataclass(frozen=True, eq=False)
class Reviews:
    """Texts, features, what an annotator of English sentiment answers (-1: cannot be labeled), which are German.

    Attributes
    ----------
    anchor
        Features of English texts that are in no other part, shape (m, d).
    X_test, y_test
        English texts to measure on.
    """

    texts: list[str]
    X: Float32Array
    answer: IntArray
    is_german: IntArray
    anchor: Float32Array
    X_test: Float32Array
    y_test: IntArray


def sentence(words: _Words, mood: int, rng: np.random.Generator) -> str:
    """Return a sentence of a mood."""

    def one(name: str) -> str:
        return str(rng.choice(list(words[name])))

    name = CLASSES[mood]
    text = one("frame").format(thing=one("thing"), mood=one(name), more=one(f"more {name}"))
    return text[0].upper() + text[1:]


def make(
    seed: int, n: int = 1000, german: float = 0.3, n_anchor: int = 100, n_test: int = 400, wrong: float = 0.05
) -> Reviews:
    """Return a pool whose features are character 2- to 4-grams by TF-IDF, turned to 64 singular vectors of the pool."""
    rng = np.random.default_rng([seed, 48])
    is_german = rng.random(n) < german
    moods = rng.integers(0, 2, n + n_anchor + n_test)
    foreign = np.concatenate([is_german, np.zeros(n_anchor + n_test, dtype=np.bool_)])
    texts = [sentence(GERMAN if one else ENGLISH, int(m), rng) for one, m in zip(foreign, moods, strict=True)]
    grams = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), sublinear_tf=True, max_features=8000)
    counts = grams.fit(texts[:n]).transform(texts)
    X = TruncatedSVD(N_FEATURES, random_state=0).fit(counts[:n]).transform(counts).astype(np.float32)
    slips = rng.random(n) < wrong
    answer = np.where(is_german, -1, np.where(slips, 1 - moods[:n], moods[:n]))
    return Reviews(
        texts[:n],
        X[:n],
        answer.astype(np.int64),
        is_german.astype(np.int64),
        X[n : n + n_anchor],
        X[n + n_anchor :],
        moods[n + n_anchor :].astype(np.int64),
    )
