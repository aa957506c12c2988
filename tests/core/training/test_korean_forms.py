"""Korean word forms against a table written by hand, and the particles."""

import pytest

from attention_core.errors import InputError
from attention_core.training.korean.hangul import Stem, particle
from attention_core.training.korean.words import adjectives, verbs

# stem, class: past, -아서/어서, plain present (verbs) or dictionary form, before 것이다, with -시- in the past
TABLE = """
가 -      갔다       가서       간다       갈         가셨다
오 -      왔다       와서       온다       올         오셨다
보 -      봤다       봐서       본다       볼         보셨다
주 -      줬다       줘서       준다       줄         주셨다
서 -      섰다       서서       선다       설         서셨다
마시 -    마셨다     마셔서     마신다     마실       마시셨다
보내 -    보냈다     보내서     보낸다     보낼       보내셨다
배우 -    배웠다     배워서     배운다     배울       배우셨다
쉬 -      쉬었다     쉬어서     쉰다       쉴         쉬셨다
뛰어가 -  뛰어갔다   뛰어가서   뛰어간다   뛰어갈     뛰어가셨다
가르치 -  가르쳤다   가르쳐서   가르친다   가르칠     가르치셨다
먹 -      먹었다     먹어서     먹는다     먹을       먹으셨다
앉 -      앉았다     앉아서     앉는다     앉을       앉으셨다
닫 -      닫았다     닫아서     닫는다     닫을       닫으셨다
입 -      입었다     입어서     입는다     입을       입으셨다
씻 -      씻었다     씻어서     씻는다     씻을       씻으셨다
잡 -      잡았다     잡아서     잡는다     잡을       잡으셨다
공부하 -  공부했다   공부해서   공부한다   공부할     공부하셨다
피곤하 -  피곤했다   피곤해서   -          피곤할     피곤하셨다
걷 ㄷ     걸었다     걸어서     걷는다     걸을       걸으셨다
듣 ㄷ     들었다     들어서     듣는다     들을       들으셨다
돕 ㅂ     도왔다     도와서     돕는다     도울       도우셨다
눕 ㅂ     누웠다     누워서     눕는다     누울       누우셨다
굽 ㅂ     구웠다     구워서     굽는다     구울       구우셨다
춥 ㅂ     추웠다     추워서     -          추울       추우셨다
아름답 ㅂ 아름다웠다 아름다워서 -          아름다울   아름다우셨다
짓 ㅅ     지었다     지어서     짓는다     지을       지으셨다
고르 르   골랐다     골라서     고른다     고를       고르셨다
부르 르   불렀다     불러서     부른다     부를       부르셨다
빠르 르   빨랐다     빨라서     -          빠를       빠르셨다
쓰 으     썼다       써서       쓴다       쓸         쓰셨다
바쁘 으   바빴다     바빠서     -          바쁠       바쁘셨다
아프 으   아팠다     아파서     -          아플       아프셨다
슬프 으   슬펐다     슬퍼서     -          슬플       슬프셨다
배고프 으 배고팠다   배고파서   -          배고플     배고프셨다
크 으     컸다       커서       -          클         크셨다
살 ㄹ     살았다     살아서     산다       살         사셨다
울 ㄹ     울었다     울어서     운다       울         우셨다
만들 ㄹ   만들었다   만들어서   만든다     만들       만드셨다
열 ㄹ     열었다     열어서     연다       열         여셨다
멀 ㄹ     멀었다     멀어서     -          멀         머셨다
짧 -      짧았다     짧아서     -          짧을       짧으셨다
맛있 -    맛있었다   맛있어서   -          맛있을     맛있으셨다
비싸 -    비쌌다     비싸서     -          비쌀       비싸셨다
느리 -    느렸다     느려서     -          느릴       느리셨다
""".strip().splitlines()


@pytest.mark.parametrize("row", TABLE)
def test_stems_are_conjugated_as_in_the_table(row):
    text, kind, past, because, present, future, honoured = row.split()
    stem = Stem(text, kind)
    assert "".join(stem.past()) + "다" == past
    assert "".join(stem.because()) == because
    assert "".join(stem.future()) == future
    assert "".join(stem.honoured("셨")) + "다" == honoured
    if present != "-":
        assert "".join(stem.present()) == present
    assert "".join(stem.before("지")) == f"{text}지"


@pytest.mark.parametrize(
    ("stem", "pieces"),
    [
        (Stem("가"), ("갔",)),
        (Stem("먹"), ("먹", "었")),
        (Stem("공부하"), ("공부", "했")),
        (Stem("춥", "ㅂ"), ("추웠",)),
        (Stem("듣", "ㄷ"), ("들", "었")),
    ],
)
def test_what_melts_into_a_syllable_stays_with_the_stem(stem, pieces):
    assert stem.past() == pieces


def test_stems_that_are_always_honoured_keep_their_si():
    assert Stem("주무", "시").before("지") == ("주무", "시", "지")
    assert "".join(Stem("드", "시").honoured("신다")) == "드신다"


@pytest.mark.parametrize(
    ("word", "name", "said"),
    [
        ("나", "은/는", "는"),
        ("책", "은/는", "은"),
        ("고양이", "이/가", "가"),
        ("선생님", "이/가", "이"),
        ("사과", "을/를", "를"),
        ("물", "을/를", "을"),
        ("친구", "과/와", "와"),
        ("닭", "과/와", "과"),
        ("버스", "으로/로", "로"),
        ("집", "으로/로", "으로"),
        ("지하철", "으로/로", "로"),
        ("서울", "으로/로", "로"),
    ],
)
def test_particles_fit_the_sound_before_them(word, name, said):
    assert particle(word, name) == said


def test_only_hangul_is_conjugated():
    with pytest.raises(InputError, match="'x'"):
        Stem("x").past()


def test_every_irregular_stem_of_the_tables_says_so():
    """A stem that ends like the irregular ones is either of their class or known to be regular."""
    regular = {"입", "잡", "닫", "씻"}
    for word in (*verbs(), *adjectives()):
        text, kind = word.stem.text, word.stem.kind
        code = (ord(text[-1]) - 0xAC00) % 28
        if text not in regular:
            assert (code == 17) == (kind == "ㅂ"), text  # ㅂ
            assert (code == 7) == (kind == "ㄷ"), text  # ㄷ
            assert (code == 8) == (kind == "ㄹ"), text  # ㄹ
        assert (text[-1] in "쓰프쁘크") == (kind == "으"), text
        assert (text[-1] == "르") == (kind == "르"), text


def test_two_stems_are_also_written_uncontracted():
    assert "".join(Stem("보").past(apart=True)) == "보았"
    assert "".join(Stem("보여주").past(apart=True)) == "보여주었"
    assert Stem("가").past(apart=True) == ("갔",)
