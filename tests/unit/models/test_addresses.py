import pytest

from models.addresses import postal_lines, reachable, valid_email, valid_number


@pytest.mark.parametrize("number", ["+16175550100", "+4915112345678", "+442079460000"])
def test_a_number_of_a_numbering_plan_can_be_called(number: str):
    assert valid_number(number)


@pytest.mark.parametrize(
    "number",
    [
        "",
        "6175550100",
        "+1617",
        "+1 617 555 0100",
        "+16175550100\n",
        "0049151123",
        "+0123456789",
        "+9991234567890",
        "a@b.de",
    ],
)
def test_what_is_no_number_is_refused(number: str):
    assert not valid_number(number)


def test_numbers_of_no_country_pass_where_nobody_is_reached():
    assert valid_number("+9990000000042", tests=True)
    assert not valid_number("+999", tests=True)


@pytest.mark.parametrize("address", ["someone@customer.de", "first.last+x@mail.co.uk", "wer@bücher.de"])
def test_an_address_with_a_possible_domain_can_be_written_to(address: str):
    assert valid_email(address)


@pytest.mark.parametrize(
    "address",
    ["", "someone", "someone@", "@customer.de", "a b@customer.de", "a@customer.de\nBcc: b@customer.de", "a@localhost"],
)
def test_what_is_no_address_is_refused_everywhere(address: str):
    assert not valid_email(address)
    assert not valid_email(address, tests=True)


@pytest.mark.parametrize("address", ["a@customer.example", "a@example.org", "a@deep.below.test", "a@EXAMPLE.com"])
def test_domains_kept_for_tests_pass_only_where_nobody_is_reached(address: str):
    assert not valid_email(address)
    assert valid_email(address, tests=True)


def test_a_letter_needs_a_street_and_a_place():
    assert reachable("letter", "Jane Doe\n1 Main Street\nBoston MA 02101")
    assert reachable("letter", "17 Example Street, Boston")
    assert not reachable("letter", "Boston")
    assert not reachable("letter", "1 Main Street\x07\nBoston")


def test_commas_part_the_lines_of_an_address_only_where_no_line_break_does():
    assert postal_lines("17 Example Street, Boston") == ["17 Example Street", "Boston"]
    assert postal_lines("Doe, Jane\n1 Main Street\n\nBoston, MA") == ["Doe, Jane", "1 Main Street", "Boston, MA"]


def test_every_channel_has_its_kind_of_contact_point():
    for channel in ("sms", "call", "voicemail"):
        assert reachable(channel, "+16175550100")
        assert not reachable(channel, "someone@customer.de")
    assert reachable("email", "someone@customer.de")
    assert not reachable("email", "+16175550100")
