"""FastCGI: any request however it is cut into records, and nothing else."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messenger_api.sandbox import fastcgi as wire
from messenger_api.sandbox.fastcgi import FastCgiError, Record, Request, Requests
from tests.sandbox.web_server import BEGIN, KEEP, cut, encoded, sent

MOST = 1000
LATIN = st.text(st.characters(max_codepoint=255), max_size=200)
PAIRS = st.dictionaries(LATIN.filter(lambda name: name != "CONTENT_LENGTH"), LATIN, max_size=5)


def read(data: bytes) -> tuple[list[Request], list[Record]]:
    """The requests in some bytes, and what was replied on the way."""
    replies: list[Record] = []
    return list(Requests(io.BytesIO(data), replies.append, MOST)), replies


@given(pairs=PAIRS)
def test_names_and_values_come_as_they_were_sent(pairs: dict[str, str]) -> None:
    assert wire.decode_pairs(wire.encode_pairs(pairs)) == pairs


@given(
    pairs=PAIRS,
    body=st.binary(max_size=MOST),
    sizes=st.lists(st.integers(1, 300), max_size=5),
    number=st.integers(1, 0xFFFF),
    keep=st.booleans(),
)
def test_a_request_is_the_same_however_it_is_cut(
    pairs: dict[str, str], body: bytes, sizes: list[int], number: int, keep: bool
) -> None:
    other = number % 0xFFFF + 1
    records = [
        Record(wire.BEGIN_REQUEST, number, KEEP if keep else BEGIN),
        *cut(wire.PARAMS, number, wire.encode_pairs(pairs), sizes),
        Record(wire.STDIN, other, b"nobody's"),
        *cut(wire.STDIN, number, body, sizes),
    ]
    found, replies = read(encoded(records))
    assert found == [Request(number, keep, pairs, body)]
    assert replies == []


@given(data=st.binary(max_size=300))
def test_of_any_other_bytes_no_request_is_made(data: bytes) -> None:
    try:
        found, _ = read(data)
    except FastCgiError:
        return
    assert found == []


@given(pairs=PAIRS, body=st.binary(max_size=50), end=st.floats(0, 1, exclude_max=True))
def test_a_request_that_is_cut_off_is_none(pairs: dict[str, str], body: bytes, end: float) -> None:
    whole = encoded(sent(pairs, body))
    try:
        found, _ = read(whole[: int(len(whole) * end)])
    except FastCgiError:
        return
    assert found == []


@given(data=st.binary(max_size=100), records=st.lists(st.integers(1, 11), max_size=8))
def test_any_records_are_read_or_refused(data: bytes, records: list[int]) -> None:
    content = encoded([Record(kind, at % 2, data) for at, kind in enumerate(records)])
    try:
        found, _ = read(encoded([Record(wire.BEGIN_REQUEST, 1, KEEP)]) + content)
    except FastCgiError:
        return
    assert all(request.number == 1 for request in found)


@given(content=st.binary(max_size=100), times=st.sampled_from([0, 1, 2000]), number=st.integers(1, 0xFFFF))
def test_an_answer_is_whole_and_ended(content: bytes, times: int, number: int) -> None:
    stream = io.BytesIO(encoded(list(wire.answer(number, content * times))))
    found = list(iter(lambda: wire.read_record(stream), None))
    assert {record.request for record in found} == {number}
    assert found[-1] == wire.ended(number)
    assert found[-2] == Record(wire.STDOUT, number)
    assert all(record.kind == wire.STDOUT and record.content for record in found[:-2])
    assert b"".join(record.content for record in found[:-2]) == content * times


@pytest.mark.parametrize(
    "records",
    [
        pytest.param([Record(wire.BEGIN_REQUEST, 1, b"\0\1")], id="a short beginning"),
        pytest.param([Record(wire.BEGIN_REQUEST, 1, BEGIN)] * 2, id="two of a number"),
        pytest.param([*sent({}, b"")[:1], Record(wire.STDIN, 1, b"x")], id="a body before the parameters"),
        pytest.param([*sent({}, b"")[:2], Record(wire.PARAMS, 1, b"\0\0")], id="parameters after their end"),
        pytest.param(sent({"CONTENT_LENGTH": "5"}, b"1234"), id="another length"),
        pytest.param(sent({}, b"x" * (MOST + 1)), id="a long body"),
        pytest.param(sent({"a": "x" * 60_000, "b": "x" * 60_000}, b""), id="long parameters"),
        pytest.param(
            [Record(wire.BEGIN_REQUEST, 1, BEGIN), *cut(wire.PARAMS, 1, b"\5\5ab", [])], id="lengths"
        ),
    ],
)
def test_what_is_not_allowed_ends_the_connection(records: list[Record]) -> None:
    cuts = [part for each in records for part in cut_long(each)]
    with pytest.raises(FastCgiError):
        read(encoded(cuts))


def cut_long(record: Record) -> list[Record]:
    """Records whose content has room for its length."""
    most = wire.MOST_CONTENT
    starts = range(0, len(record.content), most) or [0]
    return [record._replace(content=record.content[start : start + most]) for start in starts]


def test_another_version_and_a_record_cut_off_are_refused() -> None:
    for data in (b"\2" + bytes(7), b"\1\1\0", Record(wire.STDIN, 1, b"12345678").encode()[:-1]):
        with pytest.raises(FastCgiError):
            read(data)


def test_one_request_at_a_time_in_one_role_and_what_is_asked_of_the_connection_is_answered() -> None:
    asked = {"FCGI_MPXS_CONNS": "", "FCGI_MAX_CONNS": "", "OTHER": ""}
    first, *rest = sent({"A": "b"}, b"body", KEEP)
    found, replies = read(
        encoded(
            [
                Record(wire.BEGIN_REQUEST, 7, b"\0\2\1" + bytes(5)),  # an authorizer
                Record(wire.PARAMS, 7, b"ignored"),
                Record(wire.GET_VALUES, 0, wire.encode_pairs(asked)),
                Record(77, 0),
                first,
                Record(wire.BEGIN_REQUEST, 2, KEEP),
                *rest,
                *sent({}, b"", KEEP, 3)[:2],
                Record(wire.ABORT_REQUEST, 3),
                *sent({"C": "d"}, b"", BEGIN, 4),
                *sent({"not": "read"}, b"", BEGIN, 5),
            ]
        )
    )
    assert [(request.number, request.params) for request in found] == [(1, {"A": "b"}), (4, {"C": "d"})]
    assert replies == [
        wire.ended(7, wire.UNKNOWN_ROLE),
        Record(
            wire.GET_VALUES_RESULT,
            0,
            wire.encode_pairs({"FCGI_MPXS_CONNS": "0", "FCGI_MAX_CONNS": wire.VALUES["FCGI_MAX_CONNS"]}),
        ),
        Record(wire.UNKNOWN_TYPE, 0, b"\x4d" + bytes(7)),
        wire.ended(2, wire.CANT_MULTIPLEX),
        wire.ended(3),
    ]


def test_a_header_that_comes_twice_is_joined() -> None:
    assert wire.decode_pairs(wire.encode_pairs({"A": "1"}) + wire.encode_pairs({"A": "2"})) == {"A": "1, 2"}
