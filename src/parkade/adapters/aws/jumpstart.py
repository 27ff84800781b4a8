"""JumpStart's models: which image, data and environment stand behind an id.

AWS tells them in a bucket of each region: manifests of all models, open ones and those that are
sold, and a description of each version. Only what is asked for is read. Where there is no way to
the bucket, or no such model, image and model location can be given in place of an id.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from parkade.adapters.aws.refusals import calling
from parkade.domain.errors import Forbidden, InvalidInput, ParkadeError, Unavailable
from parkade.domain.names import suggestion

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from parkade.adapters.aws.account import Account

_BUCKET, _GATED_BUCKET = "jumpstart-cache-prod-{}", "jumpstart-private-cache-prod-{}"
_MANIFESTS = ("models_manifest.json", "proprietary-sdk-manifest.json")
#: The order in which a model's configurations are ranked where nobody says otherwise.
_RANKING = "overall"
_INSTANCE_TYPE = re.compile(r"ml\.([a-z0-9-]+)\.\w+", re.ASCII)
GIVE = (
    "give the model's image and data in place of its JumpStart id, which needs nothing of "
    "JumpStart's"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class JumpStartModel:
    """What stands behind an id: an image with data, or a model package."""

    model_id: str
    version: str
    instance_type: str
    image: str = ""
    data_url: str = ""
    #: Whether the data are one archive; else they are all objects that begin with the URL.
    archived: bool = True
    environment: Mapping[str, str] = field(default_factory=dict)
    #: The ARN of a model package, in place of image and data.
    package: str = ""
    #: Whether its terms have to be accepted by whoever deploys it.
    gated: bool = False
    #: Whether its containers are to have no way out.
    isolated: bool = False
    #: Why one should take another version; empty: nothing speaks against it.
    warning: str = ""


class JumpStart:
    """Looks models up in the bucket of the account's region; manifests are read once."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._manifests: dict[str, Sequence[Mapping[str, Any]]] = {}

    def resolve(
        self, model_id: str, *, version: str = "*", instance_type: str = ""
    ) -> JumpStartModel:
        """Return what is to be deployed for an id, on instances of a type, or of its usual one.

        `version` is one, or a beginning such as `2.*`, of which the newest counts. Raises
        InvalidInput for what JumpStart does not have, and Unavailable or Forbidden where it cannot
        be asked.
        """
        try:
            return self._resolved(model_id, version, instance_type)
        except (KeyError, TypeError, AttributeError) as error:
            raise Unavailable(
                f"JumpStart tells of {model_id!r} in a form that is not known here: {error!r}",
                hint=f"this may need a newer Parkade; {GIVE}",
            ) from error

    def _resolved(self, model_id: str, version: str, instance_type: str) -> JumpStartModel:
        header = self._header(model_id, version)
        spec = _ranked(self._read(header["spec_key"]))
        usual = str(spec.get("default_inference_instance_type") or "")
        chosen = _Chosen(
            model_id=model_id,
            spec=spec,
            region=self._account.region,
            instance_type=instance_type or usual,
        )
        chosen.require_supported()
        return chosen.model()

    def _header(self, model_id: str, version: str) -> Mapping[str, Any]:
        names: set[str] = set()
        versions: list[Mapping[str, Any]] = []
        for key in _MANIFESTS:
            listed = self._manifest(key)
            names |= {str(each["model_id"]) for each in listed}
            versions += [each for each in listed if each["model_id"] == model_id]
            if versions:
                break
        if not versions:
            raise InvalidInput(
                f"JumpStart has no model {model_id!r} in {self._account.region}",
                field="jumpstart",
                hint=f"{suggestion(model_id, names)} {GIVE}".strip(),
            )
        wanted = [each for each in versions if _is(str(each["version"]), version)]
        if not wanted:
            known = ", ".join(str(each["version"]) for each in sorted(versions, key=_numbers))
            raise InvalidInput(
                f"JumpStart's model {model_id!r} has no version {version!r}",
                field="version",
                hint=f"there are {known}",
            )
        return max(wanted, key=_numbers)

    def _manifest(self, key: str) -> Sequence[Mapping[str, Any]]:
        if key not in self._manifests:
            self._manifests[key] = self._read(key)
        return self._manifests[key]

    def _read(self, key: str) -> Any:
        bucket = _BUCKET.format(self._account.region)
        place = f"s3://{bucket}/{key}"
        try:
            with calling(f"JumpStart cannot be asked: {place}"):
                answer = self._account.client("s3").get_object(Bucket=bucket, Key=key)
                return json.loads(answer["Body"].read())
        except Forbidden as error:
            raise Forbidden(
                error.message, hint=f"allow s3:GetObject to these credentials; or {GIVE}"
            ) from error
        except ParkadeError as error:
            raise Unavailable(error.message, hint=GIVE) from error
        except ValueError as error:
            raise Unavailable(f"{place} is not JSON: {error}", hint=GIVE) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class _Chosen:
    """A version of a model, on instances of a type."""

    model_id: str
    spec: Mapping[str, Any]
    region: str
    instance_type: str

    def require_supported(self) -> None:
        """Raise InvalidInput for a type of instance that the model is not for."""
        supported = self.spec.get("supported_inference_instance_types") or ()
        if supported and self.instance_type not in supported:
            raise InvalidInput(
                f"JumpStart's model {self.model_id!r} is not for {self.instance_type!r}",
                field="instance_type",
                hint=f"it is for {', '.join(supported)}",
            )

    def model(self) -> JumpStartModel:
        """Return what is to be deployed."""
        package = self._regional("model_package_arn") or (
            self.spec.get("hosting_model_package_arns") or {}
        ).get(self.region, "")
        image = "" if package else self._image()
        key = "" if package else self._key()
        gated = bool(self.spec.get("gated_bucket"))
        bucket = (_GATED_BUCKET if gated else _BUCKET).format(self.region)
        return JumpStartModel(
            model_id=self.model_id,
            version=str(self.spec["version"]),
            instance_type=self.instance_type,
            image=image,
            data_url=key if key.startswith("s3://") or not key else f"s3://{bucket}/{key}",
            archived=not key.endswith("/"),
            environment=self._environment(),
            package=package,
            gated=gated or bool(self.spec.get("hosting_eula_key")),
            isolated=bool(self.spec.get("inference_enable_network_isolation")),
            warning=self._warning(),
        )

    def _image(self) -> str:
        image = self._regional("image_uri") or str(self.spec.get("hosting_ecr_uri") or "")
        if not image:
            raise self._unusable(f"it names no image for {self.instance_type} in {self.region}")
        return image

    def _key(self) -> str:
        key = self._own("prepacked_artifact_key") or self.spec.get("hosting_prepacked_artifact_key")
        if key:
            return str(key)
        if self.spec.get("hosting_use_script_uri", True) and self.spec.get("hosting_script_key"):
            raise self._unusable("its data and its script have yet to be packed together")
        return str(self._own("artifact_key") or self.spec.get("hosting_artifact_key") or "")

    def _environment(self) -> dict[str, str]:
        found = {
            each["name"]: str(each["default"])
            for each in self.spec.get("inference_environment_variables") or ()
        }
        for name in reversed(self._names):
            found |= self._variant(name, "properties").get("environment_variables") or {}
        return found

    def _warning(self) -> str:
        if self.spec.get("deprecated"):
            return str(self.spec.get("deprecated_message") or "JumpStart calls it deprecated")
        if self.spec.get("inference_vulnerable"):
            known = ", ".join(self.spec.get("inference_vulnerabilities") or ("unnamed",))
            return f"JumpStart knows vulnerabilities of it: {known}"
        return ""

    @property
    def _names(self) -> tuple[str, ...]:
        """What the variants of its instance type are called: the type, then its family."""
        match = _INSTANCE_TYPE.fullmatch(self.instance_type)
        return (self.instance_type, *([match[1]] if match else []))

    def _variant(self, name: str, properties: str) -> Mapping[str, Any]:
        variants = (self.spec.get("hosting_instance_type_variants") or {}).get("variants") or {}
        found: Mapping[str, Any] = (variants.get(name) or {}).get(properties) or {}
        return found

    def _own(self, name: str) -> str:
        """Return a property of the instance type, else of its family."""
        return next(
            (
                str(found)
                for each in self._names
                if (found := self._variant(each, "properties").get(name))
            ),
            "",
        )

    def _regional(self, name: str) -> str:
        """Return a property that is another one in each region."""
        aliases = (self.spec.get("hosting_instance_type_variants") or {}).get("regional_aliases")
        for each in self._names:
            alias = self._variant(each, "regional_properties").get(name)
            if alias and aliases:
                return str((aliases.get(self.region) or {}).get(alias.removeprefix("$"), ""))
        return self._own(name)

    def _unusable(self, why: str) -> InvalidInput:
        return InvalidInput(
            f"JumpStart's model {self.model_id!r} cannot be deployed from here: {why}",
            field="jumpstart",
            hint=GIVE,
        )


def _ranked(spec: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a description with the configuration that is ranked first, where it has several."""
    ranked = ((spec.get("inference_config_rankings") or {}).get(_RANKING) or {}).get("rankings")
    configs = spec.get("inference_configs") or {}
    first = next((each for each in ranked or () if each in configs), None)
    if first is None:
        return spec
    components = spec.get("inference_config_components") or {}
    found = dict(spec)
    for name in configs[first].get("component_names") or ():
        found |= components.get(name) or {}
    return found


def _is(version: str, wanted: str) -> bool:
    return version == wanted or (
        wanted.endswith("*") and version.startswith(wanted.removesuffix("*"))
    )


def _numbers(header: Mapping[str, Any]) -> tuple[int, ...]:
    """Return what versions are put in order by: 2.10.0 comes after 2.9.0."""
    return tuple(int(each) for each in re.findall(r"\d+", str(header["version"])))
