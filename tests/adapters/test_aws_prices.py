"""AWS's price API, played by a server on this machine, asked by botocore's own client."""

import json
import threading
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from parkade.adapters.aws.prices import AwsPriceOffice
from parkade.domain.errors import Forbidden, InvalidInput, Unauthenticated, Unavailable

PAGE = 2


def a_product(name, usd, *, component="Hosting", region="us-east-1", unit="Hrs", **changes):
    attributes = {"instanceName": name, "component": component, "regionCode": region}
    dimension = {"unit": unit, "pricePerUnit": {"USD": usd}}
    return {
        "product": {"productFamily": "ML Instance", "attributes": attributes, "sku": name},
        "terms": {"OnDemand": {"X.Y": {"priceDimensions": {"X.Y.Z": dimension}}}},
        **changes,
    }


class PriceApi:
    """Answers GetProducts, two products a page, as the API does."""

    def __init__(self):
        self.products = []
        self.asked = []
        #: Status and body instead of an answer.
        self.refusal = None
        api = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                api.asked.append((self.headers["X-Amz-Target"], body))
                status, answer = api.refusal or (200, api.answer(body))
                payload = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/x-amz-json-1.1")
                self.send_header("Content-Length", str(len(payload)))
                self.end_headers()
                self.wfile.write(payload)

            def log_message(self, *args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def answer(self, body):
        wanted = {each["Field"]: each["Value"] for each in body["Filters"]}
        matches = [
            each
            for each in self.products
            if each["product"]["attributes"]["regionCode"] == wanted["regionCode"]
        ]
        start = int(body.get("NextToken", "0"))
        page = {"FormatVersion": "aws_v1"}
        page["PriceList"] = [json.dumps(each) for each in matches[start : start + PAGE]]
        if start + PAGE < len(matches):
            page["NextToken"] = str(start + PAGE)
        return page


@pytest.fixture
def api(monkeypatch):
    played = PriceApi()
    thread = threading.Thread(target=played.server.serve_forever, args=(0.01,))
    thread.start()
    monkeypatch.setenv("AWS_ENDPOINT_URL_PRICING", played.url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    yield played
    played.server.shutdown()
    played.server.server_close()
    thread.join()


def test_every_page_is_read_and_only_hosting_instances_count(api):
    api.products = [
        a_product("ml.m5.large", "0.1150000000"),
        a_product("ml.m5.large", "0.2300000000", component="Training"),
        a_product("ml.g5.xlarge", "1.4080000000"),
        a_product("ml.g5.12xlarge", "7.0900000000"),
        a_product("ml.m5.large", "0.1380000000", region="eu-central-1"),
    ]
    assert AwsPriceOffice().hosting("us-east-1") == {
        "ml.m5.large": Decimal("0.115"),
        "ml.g5.xlarge": Decimal("1.408"),
        "ml.g5.12xlarge": Decimal("7.09"),
    }
    assert len(api.asked) == 2
    target, body = api.asked[0]
    assert target == "AWSPriceListService.GetProducts"
    assert body["ServiceCode"] == "AmazonSageMaker"
    assert {each["Field"]: each["Value"] for each in body["Filters"]} == {
        "productFamily": "ML Instance",
        "component": "Hosting",
        "regionCode": "us-east-1",
    }


def test_the_dearest_of_several_products_counts_and_what_costs_nothing_is_no_price(api):
    api.products = [
        a_product("ml.a.b", "1.0"),
        a_product("ml.a.b", "1.5"),
        a_product("ml.c.d", "0.0"),
        a_product("ml.e.f", "3", unit="Quantity"),
        a_product("ml.g.h", "4", terms={}),
    ]
    assert AwsPriceOffice().hosting("us-east-1") == {"ml.a.b": Decimal("1.5")}


def test_a_region_that_it_knows_nothing_of_is_said(api):
    api.products = [a_product("ml.a.b", "1")]
    with pytest.raises(InvalidInput, match="'mars-north-1'"):
        AwsPriceOffice().hosting("mars-north-1")


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        (400, "UnrecognizedClientException", Unauthenticated),
        (400, "ExpiredTokenException", Unauthenticated),
        (400, "AccessDeniedException", Forbidden),
        (500, "InternalErrorException", Unavailable),
    ],
)
def test_refusals_say_what_to_do(api, status, code, error):
    api.refusal = (status, {"__type": code, "message": "no"})
    with pytest.raises(error, match=code) as refused:
        AwsPriceOffice().hosting("us-east-1")
    assert refused.value.hint


@pytest.mark.parametrize(
    "answer",
    [
        b"<html>a proxy says hello</html>",
        {"PriceList": ["not JSON"]},
        {"PriceList": ["[1, 2]"]},
        {"PriceList": [json.dumps({"product": {}})]},
        {"PriceList": [json.dumps(a_product("ml.a.b", "dear"))]},
        {"PriceList": [json.dumps(a_product("ml.a.b", "1", terms={"OnDemand": {"x": {}}}))]},
    ],
    ids=["html", "text", "list", "no attributes", "no amount", "no dimensions"],
)
def test_an_answer_that_is_not_understood_is_no_price_list(api, answer):
    api.refusal = (200, answer)
    with pytest.raises(Unavailable):
        AwsPriceOffice().hosting("us-east-1")


def test_without_credentials_it_says_which_are_needed(api, monkeypatch, tmp_path):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    with pytest.raises(Unauthenticated) as refused:
        AwsPriceOffice().hosting("us-east-1")
    assert "pricing:GetProducts" in refused.value.message
    assert "AWS_PROFILE" in refused.value.hint
    assert api.asked == []


def test_a_server_that_is_not_there_is_unavailable(api, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL_PRICING", "http://127.0.0.1:9")
    with pytest.raises(Unavailable, match=r"127\.0\.0\.1:9") as refused:
        AwsPriceOffice().hosting("us-east-1")
    assert "AWS_ENDPOINT_URL" in refused.value.hint
