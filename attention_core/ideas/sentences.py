"""A small text set written for this project: everybody does three things, in four places, at three times of the day.

288 sentences in each language, all of the same number of words, all equally likely. Who does what is fixed, so that
there is something to learn; where and when nobody can know, so that there is a loss that no honest reader gets below.
"""

from itertools import product
from math import log

from attention_core.errors import UnknownNameError

LANGUAGES = ("en", "ko")
START, END = "<s>", "."

_DOINGS = {
    "en": {
        "the cat": ("chases the mouse", "drinks the milk", "hears the rain"),
        "the dog": ("buries the bone", "guards the sheep", "follows the ball"),
        "the girl": ("reads the book", "paints the picture", "plants the flower"),
        "the farmer": ("feeds the cow", "grows the corn", "mends the fence"),
        "the sailor": ("throws the net", "sings the song", "washes the boat"),
        "the teacher": ("writes the letter", "opens the door", "wipes the board"),
        "the baker": ("bakes the bread", "cuts the cake", "rolls the dough"),
        "the boy": ("flies the kite", "eats the apple", "beats the drum"),
    },
    "ko": {
        "고양이가": ("쥐를 쫓아요", "우유를 마셔요", "빗소리를 들어요"),
        "개가": ("뼈를 묻어요", "양을 지켜요", "공을 따라가요"),
        "소녀가": ("책을 읽어요", "그림을 그려요", "꽃을 심어요"),
        "농부가": ("소를 먹여요", "옥수수를 키워요", "울타리를 고쳐요"),
        "선원이": ("그물을 던져요", "노래를 불러요", "배를 닦아요"),
        "선생님이": ("편지를 써요", "문을 열어요", "칠판을 지워요"),
        "제빵사가": ("빵을 구워요", "케이크를 잘라요", "반죽을 밀어요"),
        "소년이": ("연을 날려요", "사과를 먹어요", "북을 쳐요"),
    },
}
_PLACES = {
    "en": ("in the garden", "by the river", "in the yard", "at the market"),
    "ko": ("정원에서", "강가에서", "마당에서", "시장에서"),
}
_TIMES = {
    "en": ("every morning", "every evening", "every night"),
    "ko": ("아침마다", "저녁마다", "밤마다"),
}
BEGINNINGS = {"en": ("", "the cat", "the teacher opens"), "ko": ("", "고양이가", "선생님이 아침마다")}


def sentences(language: str) -> tuple[tuple[str, ...], ...]:
    """Every sentence as its words, between a start and an end; an UnknownNameError for another language."""
    if language not in LANGUAGES:
        raise UnknownNameError("language", language, LANGUAGES)
    everything = product(_DOINGS[language].items(), range(3), _PLACES[language], _TIMES[language])
    made = []
    for (who, doings), doing, place, when in everything:
        parts = (who, doings[doing], place, when) if language == "en" else (who, when, place, doings[doing])
        made.append((START, *" ".join(parts).split(), END))
    return tuple(made)


def least_loss(language: str) -> float:
    """The loss a word, in nats, of a reader who knows all sentences and reads only what stands before the word."""
    every = sentences(language)
    # The probabilities of a sentence's words multiply to the sentence's own, whatever their order.
    return log(len(every)) / (len(every[0]) - 1)
