"""Mapping templates come to what API Gateway makes of them."""

import pytest

from tests.aws.mapping import variables
from tests.aws.vtl import TemplateFault, render

pytestmark = pytest.mark.aws


def mapped(template: str, body: str = "", **given: object) -> str:
    return render(template, variables(body=body, **given))


def test_the_body_is_put_into_a_request() -> None:
    template = (
        '{"input": "$util.escapeJavaScript($input.json(\'$\'))", "stateMachineArn": "arn:machine"}'
    )
    assert mapped(template, '{"a": "it\'s \\"b\\""}') == (
        '{"input": "{\\"a\\":\\"it\\\'s \\\\\\"b\\\\\\"\\"}", "stateMachineArn": "arn:machine"}'
    )


def test_values_of_the_body_and_of_the_request() -> None:
    template = """#set($name = $input.path('$.EndpointName'))
#if($name == "demo" && $context.authorizer.role != 'none')
#set($found = "$name/$context.authorizer.principalId")
$found $input.params('minutes') $input.params().header.get('Accept')
#elseif($name)
other
#else
none
#end
end"""
    context = {"authorizer": {"role": "admin", "principalId": "ann"}}
    assert (
        mapped(
            template,
            '{"EndpointName": "demo"}',
            context=context,
            headers={"Accept": "text/plain"},
            query={"minutes": "5"},
        )
        == "demo/ann 5 text/plain\nend"
    )
    assert mapped(template, '{"EndpointName": "x"}', context=context) == "other\nend"
    assert mapped(template, "{}", context=context) == "none\nend"


def test_loops_and_lists() -> None:
    template = "[#foreach($each in $input.path('$.names'))\"$each\"#if($foreach.hasNext),#end#end]"
    assert mapped(template, '{"names": ["a", "b"]}') == '["a","b"]'
    assert mapped(template, '{"names": []}') == "[]"


def test_what_is_not_there_is_written_as_it_stands_or_quietly_left_out() -> None:
    assert mapped("$nothing.at.all $!nothing. $5") == "$nothing.at.all . $5"


def test_quotes_and_escapes() -> None:
    assert mapped("$util.base64Encode('coin') $util.urlEncode('a b/c')") == "Y29pbg== a+b%2Fc"
    assert mapped('$util.escapeJavaScript($input.body).replaceAll("\\\\\'","\'")', "it's") == (
        "it's"
    )


@pytest.mark.parametrize("template", ["#if(true)", "#end", "$input.unknown()", "#set($a 3)"])
def test_what_cannot_be_read_is_told(template: str) -> None:
    with pytest.raises(TemplateFault):
        mapped(template)
