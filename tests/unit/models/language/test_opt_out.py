"""An opt-out in the customer's own words, and everything that only looks like one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.language import opt_out as module
from models.language.opt_out import channels_named, opt_out
from tests.unit.models.language.texts import texts

ANSWERS = {"opts_out": "yes", "none": "no", "in_doubt": "unsure"}
LEGAL = ["stop", "quit", "end", "revoke", "opt out", "cancel", "unsubscribe"]
"""47 CFR 64.1200(a)(10)."""


@pytest.mark.parametrize("label", ANSWERS)
def test_a_text_is_an_opt_out_or_none_or_for_a_person(label):
    answers = {text: opt_out(text) for text in texts("opt_outs.yaml")[label]}
    assert {text: answer for text, answer in answers.items() if answer != ANSWERS[label]} == {}


@pytest.mark.parametrize("word", LEGAL)
@pytest.mark.parametrize(
    "dress",
    [
        "{}",
        "{}.",
        "{}!!!",
        " {} ",
        "{} please",
        "pls {}",
        "Please, {}.",
        "\u201c{}\u201d",
        "{} \U0001f64f",
        "\u200b{}\u200b",
        "*{}*",
        "{}\n",
    ],
)
def test_a_word_of_the_law_alone_is_an_opt_out_however_it_is_dressed(word, dress):
    for written in (word, word.upper(), word.title()):
        assert opt_out(dress.format(written)) == "yes"


@pytest.mark.parametrize("word", LEGAL)
def test_full_width_letters_are_letters(word):
    assert opt_out("".join(chr(ord(char) + 0xFEE0) if char != " " else char for char in word)) == "yes"


@pytest.mark.parametrize("text", ["", " ", "\n", "...", "?!", "12345", "\U0001f44d", "\u200b"])
def test_nothing_said_is_no_opt_out(text):
    assert opt_out(text) == "no"


def test_what_is_quoted_below_a_mail_does_not_count():
    quoted = (
        "\n\nOn Tue, Mar 3, 2026 at 9:00 AM Acme Collections <pay@acme.example> wrote:\n> Reply STOP to unsubscribe.\n"
    )
    assert opt_out("I will pay on Friday." + quoted) == "no"
    assert opt_out("Stop writing to me." + quoted) == "yes"


@pytest.mark.parametrize("verb", ["Liked", "Loved", "Emphasized", "Laughed at"])
def test_a_sign_on_our_own_message_is_no_wish(verb):
    assert opt_out(f"{verb} \u201cReply STOP to opt out\u201d") == "no"


@pytest.mark.parametrize(
    ("text", "channels"),
    [
        ("stop", set()),
        ("leave me alone", set()),
        ("stop texting me", {"sms"}),
        ("don't email me any more", {"email"}),
        ("Don't call me, text me", {"call"}),
        ("don't text or call me", {"sms", "call"}),
        ("stop texting and calling me", {"sms", "call"}),
        ("stop calling me but you may email me", {"call"}),
        ("stop calling me and email me instead", {"call"}),
        ("lose my number", {"sms", "call"}),
        ("do not contact me again", {"all"}),
        ("stop contacting me by email", {"email"}),
        ("STOPALL", {"all"}),
        ("no more letters please", {"letter"}),
        ("no me llamen m\u00e1s", {"call"}),
        ("keine SMS mehr", {"sms"}),
        ("ne m'appelez plus", {"call"}),
        ("I will call you on Friday", set()),
    ],
)
def test_the_channels_that_a_wish_names(text, channels):
    assert channels_named(text) == channels


def test_every_phrase_of_the_data_can_be_read():
    known = module._known()
    for phrases in (known.phrases, known.channels):
        for told in phrases.values():
            assert all(phrase.end("", 0) is None for phrase in told)


def test_words_that_count_within_a_sentence_are_words_that_count_alone():
    known = module._known()
    assert known.strong <= known.alone
    assert not known.polite & known.alone


@given(st.text(max_size=400))
def test_no_text_makes_it_raise(text):
    assert opt_out(text) in ("yes", "no", "unsure")
    assert channels_named(text) <= {"sms", "email", "call", "voicemail", "letter", "all"}


@given(st.sampled_from(LEGAL), st.sampled_from(["please", "pls", "!", ".", " ", "\n", "\U0001f44d"]), st.booleans())
def test_courtesies_change_nothing(word, courtesy, before):
    assert opt_out(f"{courtesy} {word}" if before else f"{word} {courtesy}") == "yes"
