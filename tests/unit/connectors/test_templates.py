"""Templates: what they may say, in which language, and that nothing is ever said with a gap."""

import datetime as dt
from pathlib import Path
from typing import Any

import jinja2
import msgspec
import pytest

from connectors.templates import engine
from connectors.templates.check import faults
from connectors.templates.files import read_file, read_folder
from connectors.templates.money import Money, amounts, locale_of, written_amounts, written_money
from connectors.templates.registry import Templates, languages
from connectors.templates.rendering import render, tidy
from connectors.templates.statements.wording import statements
from connectors.templates.variables import Contact, values
from models.account.profile import CrmFacts, Debt, Profile
from models.calendar import instant
from models.compliance.content import Scope
from schemas.control import Sender, Tenant
from schemas.errors import BadInput
from schemas.templates import TemplateRegistered, template_key
from tests.contact_world import TENANT, TUESDAY_NOON, requested

SENDER = Sender(
    postal_address=("1 Main Street", "London"),
    phone="+44 20 0000",
    unsubscribe="https://acme.example/off?c={contact_id}",
)
VARIABLES = {"name": "Ann Lee", "amount": "1234.50 GBP", "invoice_id": "I-7", "invoices": "1", "due_on": "2026-03-01"}
GOOD = (
    "Dear {{ name }}, {{ amount }} since {{ due_on }}."
    " {{ business_name }} {{ postal_address }} {{ mini_miranda }} {{ opt_out }}"
)


def tenant(**more: Any) -> Tenant:
    return msgspec.structs.replace(TENANT, sender=SENDER, **more)


def template(**more: Any) -> TemplateRegistered:
    fields: dict[str, Any] = {
        "tenant_id": "*",
        "template": "reminder",
        "channel": "email",
        "language": "en",
        "subject": "{{ amount }}",
        "text": GOOD,
    }
    return TemplateRegistered(**(fields | more))


def held(*templates: TemplateRegistered) -> Templates:
    found = Templates()
    for its in templates:
        found.put(its)
    return found


def contact(
    tenant: Tenant, *, crm: CrmFacts | None = None, variables: dict[str, str] | None = None, **more: Any
) -> Contact:
    request = requested("a1", **({"language": "en"} | more))
    return Contact(
        request, tenant, crm or CrmFacts(), VARIABLES if variables is None else variables, instant(TUESDAY_NOON)
    )


def said(templates: Templates, its: Contact) -> Any:
    message = render(templates, its)
    assert not isinstance(message, str), message
    return message


# -- amounts and days -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "language", "expected"),
    [
        ("1234.56 EUR", "de", "1.234,56\xa0€"),
        ("1234.56 USD", "en", "$1,234.56"),
        ("5000 JPY", "en", "¥5,000"),
        ("1.234 KWD", "en", "KWD\xa01.234"),
        ("-12.34 EUR", "de", "-12,34\xa0€"),
        ("90071992547409.93 EUR", "de", "90.071.992.547.409,93\xa0€"),
    ],
)
def test_an_amount_is_written_to_its_last_unit_by_the_rules_of_the_language(written: str, language: str, expected: str):
    (amount,) = amounts(written)
    locale = locale_of(language)
    assert locale is not None
    assert written_money(amount, locale) == expected


def test_amounts_of_several_currencies_are_listed():
    locale = locale_of("de")
    assert locale is not None
    assert written_amounts((Money(100, "EUR"), Money(200, "GBP")), locale) == "1,00\xa0€ und 2,00\xa0£"


@pytest.mark.parametrize(
    "written", ["", "12.3 EUR", "12 EUR", "12.34", "12.34 EUX", "1e3 JPY", "12.34 EUR,5.00 GBP", "5.00 JPY"]
)
def test_what_is_no_amount_is_refused(written: str):
    with pytest.raises(ValueError, match="no amount"):
        amounts(written)


# -- the sandbox ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "source",
    [
        "{{ name.__class__ }}",
        "{{ ''.__class__.__mro__ }}",
        "{{ name.format.__globals__ }}",
        "{{ range(9) }}",
        "{{ self.__init__ }}",
        "{{ due_on.replace.__self__ }}",
        "{{ phone }}",
        "{{ name | attr('x') }}",
        "{% include 'other' %}",
        "{{ 9 ** 9 ** 9 }}",
        "{{ name * 1000000000 }}",
        "{{ '%999999999d' % 1 }}",
    ],
)
def test_a_template_can_neither_look_behind_its_values_nor_print_what_is_not_there(source: str):
    locale = locale_of("en")
    assert locale is not None
    with pytest.raises(jinja2.TemplateError):
        engine.render(
            engine.compile_source(source, escapes=False), {"name": "x", "due_on": dt.date(2026, 3, 1)}, locale
        )


def test_html_escapes_what_it_prints_and_plain_text_does_not():
    templates = held(template(html="<p>{{ name }} {{ business_name }} {{ opt_out }}</p>"))
    message = said(templates, contact(tenant(name="A&B"), variables=VARIABLES | {"name": "<b>Ann</b>"}))
    assert "<p>&lt;b&gt;Ann&lt;/b&gt; A&amp;B" in message.html
    assert message.text.startswith("Dear <b>Ann</b>,")


def test_a_variable_may_be_asked_about_without_being_there():
    source = "{% if website %}{{ website }}{% else %}-{% endif %}{% if phone %}{{ phone }}{% endif %}{{ opt_out }}"
    assert said(held(template(text=source, subject="x")), contact(tenant())).text.startswith("-+44 20 0000")


def test_who_reads_a_template_knows_what_is_always_printed():
    found = engine.printed(
        "{{ a }}{% if b %}{{ c }}{% endif %}{{ d or e }}{% for x in f %}{{ x }}{% endfor %}{% set g = h %}{{ g | upper }}"
    )
    assert [set(found.always), set(found.sometimes), set(found.asked)] == [{"a"}, {"c", "d", "e", "f", "h"}, {"b"}]


# -- which template -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "default", "chain"),
    [
        ("es-US", "en", ["es-US", "es", "en"]),
        ("es_us", "de-AT", ["es-US", "es", "de-AT", "de"]),
        (None, "de", ["de"]),
        ("", "en", ["en"]),
        ("EN", "en-GB", ["en", "en-GB"]),
    ],
)
def test_a_language_falls_back_step_by_step(wanted: str | None, default: str, chain: list[str]):
    assert list(languages(wanted, default)) == chain


def test_the_customers_language_comes_first_then_the_tenants_own_words():
    templates = held(
        template(language="es", text="* es {{ opt_out }}"),
        template(language="en", text="* en {{ opt_out }}"),
        template(tenant_id="acme", language="en", text="acme en {{ opt_out }}"),
    )
    assert said(templates, contact(tenant(), language="es-US")).text.startswith("* es")
    assert said(templates, contact(tenant(), language="en")).text.startswith("acme en")
    assert said(templates, contact(tenant(), language="fr")).text.startswith("acme en")
    assert said(templates, contact(tenant(), language=None)).text.startswith("acme en")


def test_the_newest_message_of_a_key_is_in_force_until_an_empty_one_ends_it():
    templates, key = Templates(), template_key("*", "reminder", "email", "en")
    templates.take(key, msgspec.json.encode(template(text="old {{ opt_out }}")))
    templates.take(key, msgspec.json.encode(template(text="new {{ opt_out }}")))
    assert said(templates, contact(tenant())).text.startswith("new")
    for bad in (b"{", b"[]", msgspec.json.encode(template(text="{{ unclosed"))):
        with pytest.raises(BadInput):
            templates.take(key, bad)
    assert said(templates, contact(tenant())).text.startswith("new")
    templates.take(key, None)
    assert render(templates, contact(tenant())) == "no_template"


# -- rendering ------------------------------------------------------------------------------------------------------


def test_a_contact_is_put_into_words_with_all_that_a_provider_needs():
    message = said(held(template()), contact(tenant()))
    assert message.text == (
        "Dear Ann Lee, £1,234.50 since March 1, 2026. Acme 1 Main Street, London To get no more e-mail from us, open"
        ' https://acme.example/off?c=a1-d1:contact or reply with the word "unsubscribe".'
    )
    assert message.subject == "£1,234.50"
    assert (message.key, message.contact_id, message.tenant_id, message.account_id) == (
        "a1-d1:contact",
        "a1-d1:contact",
        "acme",
        "a1",
    )
    assert (message.sender.name, message.language, message.channel) == ("Acme", "en", "email")


@pytest.mark.parametrize(
    ("text", "variables", "code"),
    [
        ("{{ website }}", VARIABLES, "template:website"),
        ("{{ amount }}", {}, "template:amount"),
        ("{{ amount }}", {"amount": "12 pounds"}, "template:variables"),
        ("{{ due_on }}", {"due_on": "soon"}, "template:variables"),
        ("{{ name | date }}", VARIABLES, "template:TemplateRuntimeError"),
        ("{{ mini_miranda }}", VARIABLES, "template:empty"),
    ],
)
def test_nothing_is_said_with_a_gap_and_the_reason_names_nobody(text: str, variables: dict[str, str], code: str):
    assert render(held(template(text=text, subject="x")), contact(tenant(), variables=variables)) == code


def test_a_template_for_another_purpose_or_voice_is_not_used():
    assert render(held(template(purpose="transactional")), contact(tenant())) == "wrong_template"
    spoken = held(template(channel="call", subject=None, mode="artificial"))
    assert render(spoken, contact(tenant(), channel="call")) == "wrong_template"
    assert said(spoken, contact(tenant(), channel="call", mode="artificial")).mode == "artificial"


def test_a_letter_is_addressed_to_the_customer_by_name():
    crm = CrmFacts(profile=Profile(name="Ann  Lee"))
    its = contact(tenant(), crm=crm, channel="letter", address="1 Elm Street, Boston")
    assert said(held(template(channel="letter")), its).address == "Ann Lee\n1 Elm Street\nBoston"


@pytest.mark.parametrize(
    ("role", "debt_class", "country", "debt_role", "says"),
    [
        ("third_party", "consumer", "US", None, True),
        ("third_party", "consumer", None, None, True),
        ("creditor", "consumer", "US", None, False),
        ("creditor", "consumer", "US", "third_party", True),
        ("third_party", "consumer", "US", "creditor", False),
        ("third_party", "business", "US", None, False),
        ("third_party", "consumer", "GB", None, False),
    ],
)
def test_a_debt_collector_says_so_and_a_creditor_does_not(
    role: Any, debt_class: Any, country: str | None, debt_role: str | None, says: Any
):
    its = tenant(collector_role=role, debt_class=debt_class, country=country)
    crm = CrmFacts(debts={"d1": Debt(1, collector_role=debt_role)} if debt_role else {})
    message = said(held(template()), contact(its, crm=crm, debt_id="d1"))
    assert ("attempt to collect a debt" in message.text) == says


def test_a_validation_notice_says_until_when_a_dispute_is_in_time():
    source = "{{ validation_information }} {{ validation_period_ends | date('short') }}"
    notice = held(template(text=source, purpose="validation_notice"))
    message = said(notice, contact(tenant(), purpose="validation_notice"))
    assert "invoice I-7 over £1,234.50, due since March 1, 2026" in message.text
    assert message.text.endswith(" 4/16/26")  # 10 March 2026 + 5 working days = 17 March, + 30 days


@pytest.mark.parametrize("channel", ["email", "sms", "call", "voicemail", "letter"])
@pytest.mark.parametrize("language", ["en", "de", "es"])
def test_every_language_words_every_statement_and_leaves_no_brace_open(channel: Any, language: str):
    words, locale = statements(language), locale_of(language)
    assert words is not None
    assert locale is not None
    known = values(contact(tenant(collector_role="third_party", country="US"), channel=channel), words, locale)
    for name in (
        "opt_out",
        "mini_miranda",
        "from_debt_collector",
        "reply_request",
        "salutation",
        "validation_information",
    ):
        assert known[name]
        assert "{" not in known[name]


def test_a_language_that_nobody_has_worded_is_told():
    assert statements("xx") is None
    assert render(held(template(language="fr")), contact(tenant(), language="fr")) == "template:statements fr"


def test_the_gaps_of_empty_statements_close():
    assert tidy("a  b \n\n\n\n c\n  d") == "a b\n\n c\n  d"


# -- what may be registered -----------------------------------------------------------------------------------------


def test_a_good_template_has_no_fault_anywhere():
    assert faults(template(), Scope()) == []


@pytest.mark.parametrize(
    ("more", "part", "line", "says"),
    [
        ({"text": GOOD + "\n{{ amuont }}"}, "text", 2, "unknown variable `amuont`"),
        ({"subject": "{{ balance }}"}, "subject", 1, "unknown variable `balance`"),
        ({"html": "<p>\n{{ secret }}</p>"}, "html", 2, "unknown variable `secret`"),
        ({"text": GOOD + "\n\n{% if x %}"}, "text", 3, "Unexpected end of template"),
        ({"text": GOOD + "{{ 1 | shout }}"}, "text", None, "No filter named 'shout'"),
        ({"text": GOOD.replace("{{ opt_out }}", "")}, "text", None, "must print {{ opt_out }}"),
        (
            {"text": GOOD.replace("{{ opt_out }}", "{% if name %}{{ opt_out }}{% endif %}")},
            "text",
            None,
            "must print {{ opt_out }}",
        ),
        (
            {"html": "<p>{{ business_name }} {{ mini_miranda }} {{ postal_address }}</p>"},
            "text",
            None,
            "must print {{ opt_out }}",
        ),
        ({"text": GOOD.replace("{{ business_name }}", "Acme")}, "text", None, "must print {{ business_name }}"),
        ({"text": GOOD.replace("{{ mini_miranda }}", "")}, "text", None, "RF-17: must print {{ mini_miranda }}"),
        ({"text": GOOD.replace("{{ postal_address }}", "")}, "text", None, "CS-1: must print {{ postal_address }}"),
        ({"subject": None}, "subject", None, "an e-mail needs a subject"),
        ({"channel": "sms"}, "subject", None, "a sms has no subject"),
        ({"channel": "sms", "subject": None, "text": GOOD + "x" * 1600}, "text", None, "a text has at most 1600"),
        ({"mode": "artificial"}, "mode", None, "is not spoken"),
        ({"language": "fr"}, "language", None, "not worded in fr"),
        ({"language": "xx"}, "language", None, "no rules for writing amounts"),
        ({"text": GOOD + "{{ name | date }}"}, "text", None, "cannot be rendered"),
        (
            {"html": GOOD + "\n{% autoescape false %}{{ name }}{% endautoescape %}"},
            "text",
            None,
            "line 2: `autoescape` is not",
        ),
        ({"channel": "voicemail", "subject": None}, "text", None, "RF-11: must not print {{ amount }}"),
    ],
)
def test_what_a_template_lacks_or_gets_wrong_is_told_with_its_place(
    more: dict[str, Any], part: str, line: int | None, says: str
):
    found = faults(template(**more), Scope())
    assert any(fault.part == part and says in fault.says and (line is None or fault.line == line) for fault in found), (
        found
    )


CUT_AWAY = [
    "{{ opt_out[:0] }}",
    "{{ opt_out[:5] }}",
    "{{ opt_out | replace(opt_out, '') }}",
    "{{ opt_out | replace(opt_out, business_name) }}",
]


@pytest.mark.parametrize("said", CUT_AWAY)
def test_what_is_cut_away_is_not_said(said: str):
    found = faults(template(text=GOOD.replace("{{ opt_out }}", said)), Scope())
    assert "must print {{ opt_out }}, whatever happens" in [fault.says for fault in found]


@pytest.mark.parametrize(
    "hidden", ["<!-- {{ opt_out }} -->", "<!-- {{ opt_out }}", "<STYLE>{{ opt_out }}</STYLE>", *CUT_AWAY]
)
def test_what_no_reader_of_the_html_is_shown_is_not_said(hidden: str):
    found = faults(template(html=GOOD.replace("{{ opt_out }}", hidden)), Scope())
    assert "must print {{ opt_out }}, whatever happens" in [fault.says for fault in found]


@pytest.mark.parametrize(
    "said", ["{{ opt_out | upper }}", "{{ opt_out | title | trim }}", "<!-- x --><p>{{ opt_out }}</p>"]
)
def test_what_is_written_otherwise_is_still_said(said: str):
    assert faults(template(html=GOOD.replace("{{ opt_out }}", said)), Scope()) == []


def test_a_creditor_outside_the_united_states_need_not_say_what_a_debt_collector_must():
    bare = template(text="{{ business_name }} {{ amount }} {{ opt_out }}")
    assert faults(bare, Scope(country="DE", collector_role="creditor", debt_class="business")) == []


# -- files ----------------------------------------------------------------------------------------------------------


def write(folder: Path, name: str, content: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return path


def test_a_file_says_what_it_is_by_its_place_and_what_stands_before_its_text(tmp_path: Path):
    path = write(
        tmp_path,
        "acme/reminder/email.es-US.txt",
        "---\nsubject: '{{ amount }}'\npurpose: transactional\n---\nHola\n{{ x }}\n",
    )
    write(tmp_path, "acme/reminder/email.es-US.html", "<p>Hola</p>\n")
    file = read_file(path)
    its = file.template
    assert (its.tenant_id, its.template, its.channel, its.language) == ("acme", "reminder", "email", "es-US")
    assert (its.subject, its.purpose, its.text, its.html) == (
        "{{ amount }}",
        "transactional",
        "Hola\n{{ x }}\n",
        "<p>Hola</p>\n",
    )
    assert file.place("text", 2) == f"{path}, line 6"
    assert file.place("html", 1) == f"{path.with_suffix('.html')}, line 1"
    assert read_file(write(tmp_path, "_default/reminder/sms.en.txt", "Hello")).template.tenant_id == "*"


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("_default/reminder/english.txt", "x", "expected a name such as email.en.txt"),
        ("_default/reminder/pigeon.en.txt", "x", r"\$.channel"),
        ("_default/Reminder/sms.en.txt", "x", r"\$.template"),
        ("_default/reminder/sms.en.txt", "", r"\$.text"),
        ("_default/reminder/sms.en.txt", "---\nsubject: x\nHello", "the line `---` that ends"),
        ("_default/reminder/sms.en.txt", "---\nsubjekt: x\n---\nHello", "unknown field `subjekt`"),
        ("_default/reminder/sms.en.txt", "---\n'a: b\n---\nHello", "not YAML"),
        ("_default/reminder/email.en.html", "x", r"has no email\.en\.txt beside it"),
    ],
)
def test_a_file_that_cannot_be_read_is_told_by_name(tmp_path: Path, name: str, content: str, says: str):
    path = write(tmp_path, name, content)
    with pytest.raises(BadInput, match=says) as refused:
        read_folder(tmp_path)
    assert str(path) in str(refused.value)


@pytest.mark.parametrize("tenant_id", ["", ".", "..", "../acme", "/", "acme/reminder"])
def test_what_is_no_tenants_id_leads_to_no_other_folder(tenant_id: str, tmp_path: Path):
    write(tmp_path, "acme/reminder/sms.en.txt", GOOD)
    with pytest.raises(BadInput, match="no tenant's id"):
        read_folder(tmp_path, tenant_id)


def test_a_folder_that_is_not_there_is_told(tmp_path: Path):
    with pytest.raises(BadInput, match="RECOUP_TEMPLATES_DIR"):
        read_folder(tmp_path / "nowhere")
    with pytest.raises(BadInput, match="nobody"):
        read_folder(tmp_path, "nobody")
