"""A caller of S3's door in process; answers are read as documents."""

from urllib.parse import quote

from parkade.apps.storage import xml
from tests.apps.api.world import World


class Shop:
    """A world, called through `/s3` with its tokens."""

    def __init__(self, **options):
        self.world = World(**options)
        self.objects = self.world.objects
        self.parts = self.world.services.parts

    def call(self, method, address, *, by="admin", query="", **options):
        # Dots as they are would be resolved before they are sent.
        address = quote(address).replace(".", "%2E")
        path = f"/s3/{address}?{query}" if query else f"/s3/{address}"
        return self.world.call(method, path, by=by, **options)

    def ok(self, method, address, **options):
        answer = self.call(method, address, **options)
        assert answer.is_success, f"{answer.status_code} {answer.text}"
        return answer

    def read(self, method, address, root, **options):
        """Call what answers with a document."""
        return xml.read(self.ok(method, address, **options).content, root)

    def error(self, method, address, **options):
        """Call what is to be refused; return status and code, with the text as the third."""
        answer = self.call(method, address, **options)
        assert not answer.is_success
        assert answer.headers["content-type"] == "application/xml"
        told = xml.read(answer.content, "Error")
        assert told.value("RequestId") == answer.headers["x-amz-request-id"]
        return answer.status_code, told.value("Code"), told.value("Message")
