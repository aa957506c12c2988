"""The tokenizer of `ko-en`: one WordPiece vocabulary for both languages, made from the grammar's own words.

Korean pieces are the grammar's morphemes, so that WordPiece's longest match (Wu et al. 2016, section 4.1; Devlin et
al. 2019) finds 나·##는, 학교·##에, 갔·##다; English words stay whole. Upper and lower case count as the same; commas
and full stops are passed over; a word that is not of the grammar becomes one <unk>.
"""

from collections.abc import Iterator

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

from attention_core.errors import UnknownNameError
from attention_core.training.korean.hangul import Pieces, Stem
from attention_core.training.korean.phrases import DETERMINERS, OBJECT_FORMS, SIDES, SUBJECT_FORMS
from attention_core.training.korean.words import Adjective, Verb, adjectives, motives, nouns, places, times, verbs

PAD, END, UNKNOWN = "<pad>", "</s>", "<unk>"
SPECIAL = (PAD, END, UNKNOWN)
MAX_TOKENS = 64

_PARTICLES = (
    "은 는 이 가 을 를 에 에서 에게 께 께서 으로 로 와 과 의 들",
    "다 지 고 기 겠 서 하 시 한다 는다 었 았 했 였 할 아서 어서 해서 신다 으신다 셨 으셨 실 으실 으시 셔서 으셔서",
)
_KOREAN = "안 것 때문 함께 왜냐하면 그래서 아주 매우 천천히 빨리 열심히 조용히 혼자 비 눈 내 네 와 아니 있 없"
_ENGLISH = (
    "a an the am is are was were be do does did will not because so very",
    "to for in on at by with toward of front under beside behind this that these those my our his her",
    "slowly quickly hard quietly alone it rained snowed",
)
_IGNORED = r"[\s.,!?;:…。、，！？\"“”‘’()]+"


def _forms(stem: Stem, *, reason: bool, honoured: bool, verb: bool, traits: tuple[str, ...] = ()) -> Iterator[Pieces]:
    """The forms of a stem that the grammar may use."""
    yield from (stem.before("지"), stem.past(), stem.past(apart=True))
    if "pastonly" in traits:
        return
    yield stem.future()
    yield from (stem.before("고"), stem.present(), stem.before("겠")) if verb else (stem.before("다"),)
    if reason:
        yield from (stem.because(), stem.before("기"))
    if honoured:
        yield from (stem.honoured(ending) for ending in ("시", "셨", "실", "신다", "셔서"))


def _other_stems(traits: tuple[str, ...]) -> Iterator[Stem]:
    """The stems for those who are honoured; see the traits of the tables."""
    for trait in traits:
        name, _, text = trait.partition(":")
        if name in ("hon", "hon-to"):
            yield Stem(text.removesuffix("시"), "시" if text.endswith("시") else "-")


def _stem_forms() -> Iterator[Pieces]:
    reasons = {name.rpartition(":")[2] for name in motives()}
    words: list[Verb | Adjective] = [*verbs(), *adjectives()]
    for word in words:
        verb = isinstance(word, Verb)
        reason = word.english in reasons and (verb or "feel" in word.traits or "weather" in word.subjects)
        honoured = "person" in word.subjects or "speaker" in word.subjects
        yield from _forms(word.stem, reason=reason, honoured=honoured, verb=verb, traits=word.traits)
        for stem in _other_stems(word.traits):
            if stem.kind == "시" or not verb:
                yield from (stem.honoured(ending) for ending in ("시", "셨", "실", "신다", "셔서"))
                yield stem.before("지")
            else:
                yield from _forms(stem, reason=reason, honoured=True, verb=verb)
    for helper, kind in (("있", "-"), ("없", "-"), ("않", "-"), ("계", "시")):
        stem = Stem(helper, "시" if kind == "시" else "-")
        yield from (stem.honoured(ending) for ending in ("시", "셨", "실", "신다", "셔서"))
        if kind != "시":
            yield from _forms(stem, reason=True, honoured=True, verb=True)


def _korean() -> Iterator[Pieces]:
    """Every Korean word in pieces, particles apart."""
    yield from _stem_forms()
    yield from ((noun.korean,) for noun in nouns())
    yield from ((place.korean,) for place in places())
    yield from (word for time in times() for word in time.korean)
    yield from ((determiner.removesuffix("의"),) for determiner in DETERMINERS)
    yield from ((text,) for text in (*SUBJECT_FORMS, *OBJECT_FORMS, *SIDES, *_KOREAN.split()))


def _english() -> Iterator[str]:
    """Every English word."""
    for noun in nouns():
        yield from (noun.english, noun.plural)
    for word in verbs():
        yield from (word.english, word.past)
        yield from () if "pastonly" in word.traits else (word.present,)
        yield from () if "noprog" in word.traits else (word.progressive,)
    yield from (adjective.english for adjective in adjectives())
    yield from (place.english for place in places())
    yield from (word for time in times() for word, _ in time.english)
    yield from (*SUBJECT_FORMS.values(), *OBJECT_FORMS.values(), *" ".join(_ENGLISH).split())


def vocabulary() -> list[str]:
    """Every piece, its place being its id: special tokens, Korean words, what continues them (##), English words."""
    forms = list(_korean())
    first = sorted({form[0] for form in forms})
    later = {text for form in forms for text in form[1:]} | set(" ".join(_PARTICLES).split())
    return [*SPECIAL, *first, *sorted(f"##{text}" for text in later), *sorted(set(_english()) - {""})]


def token_id(tokenizer: Tokenizer, piece: str) -> int:
    """The id of a piece; an UnknownNameError for one that the tokenizer does not have."""
    found: int | None = tokenizer.token_to_id(piece)
    if found is None:
        raise UnknownNameError("piece", piece, SPECIAL)
    return found


def make_tokenizer() -> Tokenizer:
    """The tokenizer: `encode` gives pieces and </s>; `decode` joins them again."""
    ids = {piece: at for at, piece in enumerate(vocabulary())}
    tokenizer = Tokenizer(models.WordPiece(ids, unk_token=UNKNOWN, continuing_subword_prefix="##"))
    capitals = sorted({word for word in _english() if word[:1].isupper()})
    tokenizer.normalizer = normalizers.Sequence(
        [
            normalizers.NFC(),
            normalizers.Lowercase(),
            *(normalizers.Replace(Regex(rf"\b{word.lower()}\b"), word) for word in capitals),
        ]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(_IGNORED), behavior="removed")
    tokenizer.post_processor = processors.TemplateProcessing(single=f"$A {END}", special_tokens=[(END, ids[END])])
    tokenizer.decoder = decoders.WordPiece(prefix="##", cleanup=False)
    tokenizer.add_special_tokens(list(SPECIAL))
    return tokenizer
