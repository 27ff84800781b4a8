"""Mapping templates of the API: what API Gateway itself makes of requests and answers.

Executions belong to the token that began them: their names begin with its mark, which the authorizer
tells. A description is asked for under the caller's own mark, whatever ARN was given, so that nobody
can spell their way to an execution of somebody else.
"""

from __future__ import annotations

#: What stands between the mark of a token and the rest of an execution's name.
_BETWEEN = "__"
_MARK = "#set($mark = $context.authorizer.starter)"
#: Texts inside JSON. Java's escaping escapes the apostrophe too, which JSON does not know.
_PLAIN = """.replaceAll("\\\\'","'")"""


def _escaped(what: str) -> str:
    return f"$util.escapeJavaScript({what}){_PLAIN}"


def start(machine_arn: str) -> str:
    """Begin an execution for the endpoint that the body names.

    A token that may not invoke that endpoint asks for a machine that there is not.
    """
    return f"""{_MARK}
#set($allowed = $context.authorizer.endpoints)
#set($asked = $input.path('$.endpointname'))
#set($names = ",$allowed,")
#set($name = ",$asked,")
#set($machine = "{machine_arn}")
#if($allowed != "" && !$names.contains($name))
#set($machine = "{machine_arn}-forbidden")
#end
{{"stateMachineArn": "$machine", "name": "${{mark}}{_BETWEEN}$context.requestId", \
"input": "{_escaped("$input.json('$')")}"}}"""


def start_for(machine_arn: str, endpoint_name: str) -> str:
    """Begin an execution for one endpoint, with the request's body as what it gets."""
    body = _escaped(_escaped("$input.body"))
    return f"""{_MARK}
{{"stateMachineArn": "{machine_arn}", "name": "${{mark}}{_BETWEEN}$context.requestId", \
"input": "{{\\"endpointname\\":\\"{endpoint_name}\\",\\"body\\":\\"{body}\\"}}"}}"""


def describe(execution_arn: str) -> str:
    """Ask how an execution went; `execution_arn` is what the ARNs of the machine's begin with."""
    return f"""{_MARK}
#set($parts = $input.path('$.executionArn').split("{_BETWEEN}"))
#if($parts.size() == 2)
#set($rest = $parts.get(1))
#else
#set($rest = "none")
#end
{{"executionArn": "{execution_arn}:${{mark}}{_BETWEEN}{_escaped("$rest")}"}}"""


#: What Step Functions says, as it says it.
PASSED = "$input.json('$')"


def refused(code: str, message: str, hint: str) -> str:
    """Write an error in the one shape that the API has for all."""
    return f'{{"error": {{"code": "{code}", "message": "{message}", "hint": "{hint}"}}}}'


def not_started() -> str:
    """Tell why an execution was not begun: the endpoint is not the token's, or Step Functions' word."""
    forbidden = refused(
        "forbidden",
        "this token may not invoke that endpoint",
        "ask an admin for one that may: parkade token create --endpoint NAME",
    )
    other = refused(
        "invalid_input",
        _escaped("$input.path('$.message')"),
        "give endpointname, and body, of at most 256 KB",
    )
    return f"""#set($type = $input.path('$.__type'))
#if($type.contains("AccessDenied") || $type.contains("StateMachineDoesNotExist"))
#set($context.responseOverride.status = 403)
{forbidden}
#else
{other}
#end"""


def not_described() -> str:
    """Tell that there is no such execution: none of the caller's, which is the same."""
    return "#set($context.responseOverride.status = 404)\n" + refused(
        "execution_not_found",
        "there is no such execution of this token",
        "give the executionArn that /startexecution answered with",
    )
