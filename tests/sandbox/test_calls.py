"""`/sandbox/calls.json`: what the product told mesibo."""

from __future__ import annotations

from tests.product import Product

ANA, BEN = "447700900456", "447700900457"


def test_the_products_calls_are_shown_newest_first_without_a_token(product: Product) -> None:
    ana, ben = product.log_in(ANA), product.log_in(BEN)
    gid = int(ana.ok("setgroup", gid=0, name="Walks", m=[BEN])["gid"])
    answer = product.app.test_client().get("/sandbox/calls.json")
    newest, *before = (call for call in answer.json["calls"] if call["op"] != "message")  # type: ignore[index]
    assert (newest["op"], newest["style"], newest["fields"]["group"]["name"]) == ("groupadd", "json", "Walks")
    assert newest["answer"]["group"]["gid"] == gid
    assert [call["fields"]["user"]["address"] for call in before if call["op"] == "useradd"] == [BEN, ANA]
    assert {call["answer"]["user"]["token"] for call in before if call["op"] == "useradd"} == {"***"}
    for phone in (ana, ben):
        assert phone.token not in answer.text
    later = product.app.test_client().get(f"/sandbox/calls.json?after={newest['id']}").json
    assert all(call["id"] > newest["id"] for call in later["calls"])  # type: ignore[index]


def test_what_others_ask_of_the_address_for_them_is_no_call_of_this_server(product: Product) -> None:
    client = product.app.test_client()
    before = client.get("/sandbox/calls.json").json
    for path in ("/sandbox/mesibo/backend", "/sandbox/mesibo/backend?op=useradd&token=x&address=1"):
        assert client.get(path).status_code == 200
    assert client.get("/sandbox/calls.json").json == before
