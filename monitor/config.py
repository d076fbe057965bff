"""All that can be set, with a sentence for each field. Read once, validated, frozen, passed down as arguments."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from detectors.classify.goods import WrittenGoodsRule
from detectors.documents import Written
from monitor.notify_config import NotifyConfig
from monitor.secret import Secret
from topics.flow import Goods, Step


class Delivery(StrEnum):
    """The delivery guarantee of findings, dead letters, accounting and alerts."""

    AT_LEAST_ONCE = "at_least_once"
    EXACTLY_ONCE = "exactly_once"


class KafkaConfig(Written):
    """How to reach Kafka."""

    bootstrap_servers: Annotated[str, Field(min_length=1)] = Field(description="host:port, several by commas.")
    group: str = Field("privacy-monitor", description="Consumer group of the traffic workers.")
    static_membership: bool = Field(
        default=False,
        description="Processes keep their partitions over a restart (`group.instance.id` from the host's name): for hosts "
        "whose names stay, such as those of a StatefulSet. Give `session.timeout.ms` under `client` the time of a restart.",
    )
    client: dict[str, str | int | float | bool] = Field(
        default_factory=dict,
        description="Settings passed to librdkafka as they are (`security.protocol`, `sasl.mechanism`, `ssl.ca.location`, …).",
    )
    secrets: dict[str, Secret] = Field(
        default_factory=dict,
        description="librdkafka settings whose value is a secret (`sasl.password`, `ssl.key.password`), by file or environment.",
    )

    @field_validator("client")
    @classmethod
    def _ours(cls, client: dict[str, Any]) -> dict[str, Any]:
        taken = sorted(client.keys() & _OURS)
        if taken:
            raise ValueError(f"{', '.join(taken)} is set by the monitor itself; remove it")
        secret = sorted(key for key in client if key in SECRET_SETTINGS)
        if secret:
            raise ValueError(f"{', '.join(secret)} is a secret; put it under `secrets` with `file:` or `env:`")
        return client


_OURS = {
    "bootstrap.servers",
    "group.id",
    "enable.auto.commit",
    "enable.auto.offset.store",
    "transactional.id",
    "isolation.level",
    "enable.idempotence",
    "acks",
    "auto.offset.reset",
    "enable.partition.eof",
}
SECRET_SETTINGS = {
    "sasl.password",
    "ssl.key.password",
    "ssl.keystore.password",
    "ssl.key.pem",
    "sasl.oauthbearer.client.secret",
}


class SourceConfig(Written):
    """A topic that carries the shop's traffic."""

    topic: Annotated[str, Field(min_length=1)] = Field(description="Name of the topic.")
    adapter: str = Field(description="Format of its records, a name of the table in docs/adapters.md.")
    service: str = Field("", description="Own service or site that it speaks of, shown to responders.")
    trusted_proxies: int = Field(0, ge=0, le=16, description="Proxies of ours that append to X-Forwarded-For.")
    fields: dict[str, str] = Field(default_factory=dict, description="Field map for formats without a fixed one.")
    body: str | None = Field(None, description="Dotted path of the request body where the gateway was told to log it.")
    recipients: tuple[str, ...] = Field(
        (), description="Recipients to whom everything on this topic is delivered by pipeline."
    )


class ShopConfig(Written):
    """What is the shop's own."""

    domains: Annotated[tuple[str, ...], Field(min_length=1)] = Field(
        description="Registrable domains and hosts of the shop: requests to them are first-party."
    )
    steps: dict[str, Step] = Field(
        default_factory=dict,
        description="Own steps of the purchase: glob of path segments, or name of an event, to step (`/kasse/*/adresse`: shipping). "
        "An empty step takes it out of the purchase.",
    )
    sells: tuple[Goods, ...] = Field(
        (Goods.PHYSICAL, Goods.DIGITAL, Goods.GIFT),
        description="Kinds of goods that are sold at all: what a record may be about that does not tell.",
    )
    goods: tuple[WrittenGoodsRule, ...] = Field(
        (), description="Which goods a path, a SKU or a kind of product stands for, where records do not tell."
    )


class ConsentConfig(Written):
    """The consent ledger."""

    topic: str = Field("privacy.consent.v1", description="Topic of consent records.")
    path: Path = Field(Path("ledger.lmdb"), description="Folder of the ledger's LMDB database.")
    end_offsets: Literal["queried", "fetched"] = Field(
        "queried",
        description="How the topic's end is known: asked of the broker, or (for brokers that answer wrongly) as fetched.",
    )
    record_key: Literal["subject", "user_id", "anonymous_id", "device_id", "email"] = Field(
        "subject",
        description="What the record key of the topic is: a subject (keyed hash), or an identifier in clear. "
        "Tombstones (no value) erase what it chose.",
    )
    versions: int = Field(512, ge=1, le=10_000, description="Choices of one person that are kept: the newest.")
    map_size_mb: int = Field(4096, ge=16, le=1_048_576, description="Most that the ledger may grow to, in MiB.")


class DeadLettersConfig(Written):
    """What is kept of records that could not be read."""

    key_id: str = Field(
        "d1",
        min_length=1,
        max_length=16,
        pattern=r"^[A-Za-z0-9_-]+$",
        description="Name of the key, stored beside what it sealed.",
    )
    secret: Secret = Field(description="Secret under which the original bytes are sealed (AES-SIV). At least 16 bytes.")


class HttpConfig(Written):
    """Metrics and health pages of each process."""

    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(9464, ge=0, le=65535, description="Port of the first process; each further one takes the next.")


class SubjectConfig(Written):
    """The key under which subjects are hashed."""

    key_id: str = Field("k1", pattern=r"^[A-Za-z0-9]{1,16}$", description="Name of the key, kept beside each hash.")
    secret: Secret = Field(description="The secret itself, at least 16 bytes, by file or environment.")


class AlertsConfig(Written):
    """The alert plane."""

    app: str = Field(
        "privacy-monitor-alerts",
        description="Consumer group of the alert plane, and the beginning of the names of its own topics.",
    )
    port: int = Field(9564, ge=0, le=65535, description="Port of the alert plane's metrics and health pages.")
    replication: int = Field(
        1, ge=1, le=7, description="Copies of the alert plane's own topics, in which it remembers."
    )
    update_seconds: int = Field(
        60, ge=1, description="An episode that goes on growing is told anew at most this often, with its exact counts."
    )
    quiet_seconds: int = Field(900, ge=1, description="An episode without a new finding for this long goes quiet.")
    resolve_seconds: int = Field(86_400, ge=1, description="A quiet episode resolves after this long.")
    reopen_seconds: int = Field(
        0,
        ge=0,
        description="What is found within this time after an episode was resolved opens it again; later, another one begins.",
    )
    due_warning_seconds: int = Field(
        172_800, ge=0, description="People are told once that a duty of an episode is due within this time."
    )


class PlacesConfig(Written):
    """How the place of a person is told where the record itself does not."""

    database: Path | None = Field(
        None, description="Database of IP addresses in MaxMind's format (.mmdb): MaxMind's, DB-IP's or your own."
    )
    ranges: tuple[Path, ...] = Field(
        (),
        description="Lists of address ranges as the clouds publish them (ip-ranges.json, cloud.json, ServiceTags_Public.json): "
        "where a request went whose host tells no region.",
    )


class ListConfig(Written):
    """A list of trackers that the operator brings."""

    path: Path = Field(description="The file.")
    format: Literal["hosts", "adblock"] = Field(
        description="hosts: a hosts file, or one host a line. adblock: filters in Adblock syntax (needs the extra `adblock`)."
    )
    purpose: Literal[
        "advertising.targeted",
        "advertising.measurement",
        "analytics",
        "analytics.session_replay",
        "social",
        "marketing.email",
        "tag_management",
    ] = Field(description="What requests that the list means are for.")


class RecipientsConfig(Written):
    """Lists of recipients beside the shipped one."""

    third_party_web: bool | None = Field(
        None, description="Entities of third-party-web, behind our own list. null: where the data folder holds them."
    )
    lists: tuple[ListConfig, ...] = Field(
        (),
        description="Lists behind those, in order. Who receives what they mean stays unknown; the purpose is theirs.",
    )


class SecondTierConfig(Written):
    """Presidio behind the monitor's own recognizers, in a process of its own, for free text alone."""

    model: str = Field(
        "", description="spaCy model for names and places in free text (extra `nlp`); empty: patterns alone."
    )
    longest: int = Field(
        2_000, ge=20, le=20_000, description="Characters of a text that are read; what is longer counts as unknown."
    )
    deadline_seconds: float = Field(
        0.2, gt=0, le=5, description="Longest wait for one answer. A later one is `unknown: deadline`."
    )
    share: float = Field(0.05, ge=0, le=0.5, description="Share of all time that may be spent waiting.")
    burst_seconds: float = Field(
        0.5, gt=0, le=10, description="Longest wait in one go, whatever the share: the most that a batch is delayed."
    )


class Config(Written):
    """The configuration of the monitor."""

    kafka: KafkaConfig
    shop: ShopConfig
    sources: Annotated[tuple[SourceConfig, ...], Field(min_length=1)] = Field(description="Topics to watch.")
    subjects: SubjectConfig
    dead_letters: DeadLettersConfig | None = Field(
        None,
        description="Keeps the original bytes of records that cannot be read, sealed. Without it only position, reason, size and digest are kept.",
    )
    consent: ConsentConfig | None = Field(
        default_factory=ConsentConfig, description="The consent ledger; null when there is none (`unknown` then)."
    )
    # `register` is a method of pydantic's metaclass, so the field has another name in Python.
    register_file: Path | None = Field(
        None, alias="register", description="Transfer register (YAML): who may receive data, on which basis."
    )
    needs: Path | None = Field(
        None, description="Own decisions on what a purchase needs to know (YAML), over the shipped table."
    )
    types: Path | None = Field(
        None, description="Own kinds of personal data (YAML): names, looks of values, validators, with tests inside."
    )
    second_tier: SecondTierConfig | None = Field(
        None, description="Presidio for free text (extra `presidio`); null: the monitor's own recognizers alone."
    )
    baseline: Path | None = Field(
        None,
        description="Kinds of personal data that each endpoint had (YAML), as `privacy-monitor baseline learn` writes it.",
    )
    rules: tuple[Path, ...] = Field((), description="Folders of own rules, beside the shipped packs.")
    rules_bundle: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9._-]{1,100}$",
        description="Name of a bundle on `privacy.rules.v1` to follow: its rules and exceptions stand over those of the "
        "folders, and the newest one is taken up while workers run.",
    )
    exemptions: tuple[Path, ...] = Field(
        (), description="Folders of exceptions: findings that somebody answers for until a day."
    )
    law: tuple[Path, ...] = Field(
        (), description="Folders of own jurisdictions, which add to or override the shipped ones."
    )
    places: PlacesConfig = Field(default_factory=PlacesConfig)
    recipients: RecipientsConfig = Field(default_factory=RecipientsConfig)
    data: Path = Field(Path("data"), description="Folder that `privacy-monitor data update` keeps.")
    delivery: Delivery = Field(
        Delivery.AT_LEAST_ONCE, description="at_least_once, or exactly_once (a transaction per batch)."
    )
    settle_seconds: float = Field(
        1.0,
        ge=0,
        le=60,
        description="A record is judged when its broker time is older than this: consent has arrived then.",
    )
    batch_records: int = Field(2000, ge=1, le=20_000, description="Most records of one batch.")
    from_beginning: bool = Field(
        default=True, description="Where a group without committed offsets starts: at the beginning, or at the end."
    )
    canary: bool = Field(
        default=True, description="Judge the topic of `privacy-monitor canary` too. Its findings call nobody."
    )
    canary_seconds: float = Field(
        60.0,
        ge=0,
        le=3600,
        description="The alert plane sends a canary so often, from one of its processes, and tells whether it arrives as an "
        "alert. 0: none is sent.",
    )
    http: HttpConfig = Field(default_factory=HttpConfig)
    alerts: AlertsConfig = Field(default_factory=AlertsConfig)
    notify: NotifyConfig | None = Field(None, description="Sinks of `privacy-monitor notify`.")

    @model_validator(mode="after")
    def _consent_is_no_source(self) -> "Config":
        if self.consent is not None and any(source.topic == self.consent.topic for source in self.sources):
            raise ValueError(f"{self.consent.topic} is both a source and the consent topic")
        return self
