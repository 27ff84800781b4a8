"""What is wrong with a request, in the form that AWS's protocols tell it."""

from __future__ import annotations


class Fault(Exception):
    """An error of the API: its code, what clients show, and the HTTP status."""

    def __init__(self, code: str, message: str, *, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status


def invalid(message: str) -> Fault:
    """Return the fault of input that cannot be used, which is most of them."""
    return Fault("ValidationException", message)


def malformed(message: str) -> Fault:
    """Return the fault of what is no request of this protocol."""
    return Fault("SerializationException", message)


def bug(request_id: str) -> Fault:
    """Return the fault that is ours; the log tells it under the number of the request."""
    return Fault(
        "InternalFailure",
        "The request could not be answered because of a fault in Parkade itself. To do: search "
        f"the control process's log for {request_id}, and report what it says.",
        status=500,
    )


def sender(fault: Fault) -> str:
    """Return whose fault it is, in the query protocol's words."""
    return "Sender" if fault.status < 500 else "Receiver"


def query_error(fault: Fault, code: str) -> str:
    """Return what tells clients of the query protocol's heirs the code that it had there."""
    return f"{code};{sender(fault)}"
