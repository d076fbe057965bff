"""Snowplow's enriched events: a line of tab-separated values without names, or the same columns as JSON (the analytics SDKs).

Source: Snowplow, "Enriched stream TSV file format": 131 columns; older pipelines write the first 128, new ones append. The format carries no headers.
"""

from collections.abc import Mapping, Sequence

import msgspec

from topics.adapters import geo, reading
from topics.adapters.conversions import page_of, staged
from topics.adapters.lines import ReadLine, read_lines
from topics.adapters.moments import milliseconds
from topics.adapters.snowplow import Described
from topics.adapters.tolerant import OBJECT, value_of
from topics.observation import AdapterOptions, Kind, Media, Observation, Part, Reading
from topics.record import RawRecord, Reason, Rejected

_COLUMNS = """
app_id platform etl_tstamp collector_tstamp dvce_created_tstamp event event_id txn_id name_tracker v_tracker v_collector v_etl user_id
user_ipaddress user_fingerprint domain_userid domain_sessionidx network_userid geo_country geo_region geo_city geo_zipcode geo_latitude
geo_longitude geo_region_name ip_isp ip_organization ip_domain ip_netspeed page_url page_title page_referrer page_urlscheme page_urlhost
page_urlport page_urlpath page_urlquery page_urlfragment refr_urlscheme refr_urlhost refr_urlport refr_urlpath refr_urlquery refr_urlfragment
refr_medium refr_source refr_term mkt_medium mkt_source mkt_term mkt_content mkt_campaign contexts se_category se_action se_label se_property
se_value unstruct_event tr_orderid tr_affiliation tr_total tr_tax tr_shipping tr_city tr_state tr_country ti_orderid ti_sku ti_name ti_category
ti_price ti_quantity pp_xoffset_min pp_xoffset_max pp_yoffset_min pp_yoffset_max useragent br_name br_family br_version br_type br_renderengine
br_lang br_features_pdf br_features_flash br_features_java br_features_director br_features_quicktime br_features_realplayer
br_features_windowsmedia br_features_gears br_features_silverlight br_cookies br_colordepth br_viewwidth br_viewheight os_name os_family
os_manufacturer os_timezone dvce_type dvce_ismobile dvce_screenwidth dvce_screenheight doc_charset doc_width doc_height tr_currency
tr_total_base tr_tax_base tr_shipping_base ti_currency ti_price_base base_currency geo_timezone mkt_clickid mkt_network etl_tags
dvce_sent_tstamp refr_domain_userid refr_dvce_tstamp derived_contexts domain_sessionid derived_tstamp event_vendor event_name event_format
event_version event_fingerprint true_tstamp
"""
COLUMNS: tuple[str, ...] = tuple(_COLUMNS.split())
"""All columns in their order."""

_FEWEST = 128
_DESCRIBED = ("unstruct_event", "contexts", "derived_contexts")
_TELLING = (
    "user_fingerprint", "network_userid", "domain_sessionid", "refr_domain_userid", "geo_city", "geo_zipcode", "geo_latitude", "geo_longitude",
    "ip_organization", "page_title", "page_referrer", "mkt_medium", "mkt_source", "mkt_term", "mkt_content", "mkt_campaign", "mkt_clickid",
    "se_category", "se_action", "se_label", "se_property", "se_value", "tr_orderid", "tr_affiliation", "tr_total", "tr_city", "tr_state",
    "tr_country", "ti_orderid", "ti_sku", "ti_name", "ti_category", "ti_price",
)  # fmt: skip
"""Columns in which something of a person may stand."""


class SnowplowEnriched:
    """Reads events behind the enrichment, by position: never from the end, for pipelines append."""

    name = "snowplow-enriched"

    def __init__(self, options: AdapterOptions) -> None:
        self._service = options.service
        self._recipients = options.recipients

    def read(self, record: RawRecord) -> Reading:
        """Read one record. Never raises."""
        return read_lines(record.value, self._opened, objects=self._object)

    def _opened(self, _: Sequence[str]) -> ReadLine:
        return self._line

    def _line(self, line: str, item: int) -> Observation | Rejected:
        cells = line.split("\t")
        if len(cells) < _FEWEST:
            return Rejected(Reason.SHAPE)
        return self._event({name: cell for name, cell in zip(COLUMNS, cells, strict=False) if cell}, item)

    def _object(self, data: bytes, item: int) -> Observation | Rejected:
        members = OBJECT.decode(data)
        if "event_id" not in members and "collector_tstamp" not in members:
            return Rejected(Reason.SHAPE)
        row: dict[str, str] = {}
        for name in COLUMNS:
            raw = members.get(name)
            # The SDKs name contexts by their schemas; a plain dump keeps the column, as text or as JSON.
            cell = (
                (bytes(raw).decode() if bytes(raw)[:1] in (b"{", b"[") else reading.text(value_of(raw)))
                if raw
                else None
            )
            if cell:
                row[name] = cell
        described = {name: raw for name, raw in members.items() if name.startswith(("contexts_", "unstruct_event_"))}
        return self._event(row, item, described)

    def _event(
        self, row: Mapping[str, str], item: int, described: Mapping[str, msgspec.Raw] | None = None
    ) -> Observation | Rejected:
        found = Described()
        for name in _DESCRIBED:
            if name in row:
                found.add(name, row[name].encode("utf-8", "replace"))
        rest = {name: row[name] for name in _TELLING if name in row}
        parts = [*found.parts]
        if described:
            parts.append(Part("contexts", msgspec.json.encode(described), Media.JSON))
        if rest:
            parts.append(Part("event", msgspec.json.encode(rest), Media.JSON))
        page = page_of(row.get("page_url"))
        place = geo.located(row.get("geo_country"), row.get("geo_region"), "gateway-geo")
        known = {
            "user_id": reading.identifier(row.get("user_id")),
            "anonymous_id": reading.identifier(row.get("domain_userid"))
            or reading.identifier(row.get("network_userid")),
        }
        moments = (row.get(name) for name in ("derived_tstamp", "collector_tstamp", "dvce_created_tstamp"))
        return Observation(
            item=item,
            kind=Kind.EVENT,
            source=self.name,
            service=self._service or reading.text(row.get("app_id")) or "",
            at_ms=next((at for each in moments if (at := milliseconds(each)) is not None), None),
            record_id=reading.text(row.get("event_id")),
            name=reading.text(row.get("event_name")) or found.event or reading.text(row.get("event")),
            host=page.host or reading.host(row.get("page_urlhost")),
            path=page.path or reading.text(row.get("page_urlpath")),
            page_host=page.host or reading.host(row.get("page_urlhost")),
            client_ip=reading.address(row.get("user_ipaddress")),
            user_agent=reading.text(row.get("useragent")),
            subjects=reading.ordered({kind: value for kind, value in known.items() if value}),
            destinations=staged(self._recipients),
            country=place.country,
            subdivision=place.subdivision,
            place_source=place.source,
            consent=found.consent,
            parts=(*reading.query_part(page.query or row.get("page_urlquery", "")), *parts),
        )
