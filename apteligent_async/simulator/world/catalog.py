"""What phones, systems, carriers and services there are, with the quirks of their names and labels.

The quirks are from captured answers: two spaces in ``iOS  6.1``, a carrier ``unknown`` that is shown as a Wi-Fi device,
marketing names for device codes, and performance data that writes system names without the space.
"""

from __future__ import annotations

from attrs import frozen

__all__ = [
    "ANDROID",
    "APP_NAMES",
    "CARRIERS",
    "COUNTRIES",
    "IOS",
    "SERVICES",
    "VERSION_NAMES",
    "Country",
    "Named",
    "Platform",
    "Service",
]


@frozen
class Named:
    """A key, the text shown for it, and how popular it is among its like."""

    name: str
    label: str
    weight: float

    @classmethod
    def plain(cls, name: str, weight: float) -> Named:
        """Make one that is shown under its own name."""
        return cls(name, name, weight)


@frozen
class Platform:
    """The devices and systems of one kind of app, most popular first."""

    kind: str
    devices: tuple[Named, ...]
    systems: tuple[Named, ...]


@frozen
class Service:
    """A host that apps talk to: its share of requests, mean milliseconds, mean bytes and percent of failures."""

    name: str
    domain: str
    uris: tuple[str, ...]
    weight: float
    latency_ms: float
    bytes_in: float
    bytes_out: float
    errors_percent: float


@frozen
class Country:
    """A country with one region: code, names, latitude, longitude, share of users, factor on latency."""

    code: str
    name: str
    region: str
    latitude: float
    longitude: float
    weight: float
    latency_factor: float


IOS = Platform(
    "ios",
    devices=(
        Named("iPhone7,2", "iPhone 6", 26),
        Named("iPhone8,1", "iPhone 6s", 22),
        Named("iPhone9,3", "iPhone 7", 14),
        Named("iPhone6,1", "iPhone 5s", 12),
        Named("iPhone5,2", "iPhone 5 CDMA+LTE", 6),
        Named("iPad4,1", "iPad Air, WiFi", 6),
        Named("iPad3,4", "4th Gen iPad, WiFi", 4),
        Named("iPad2,5", "iPad mini, WiFi", 4),
        Named("iPhone4,1", "iPhone 4s", 3),
        Named("iPod5,1", "iPod 5th Gen", 2),
        Named("iPhone3,1", "iPhone 4 GSM", 1),
    ),
    systems=(
        Named("ios 10.1.1", "iOS 10.1.1", 38),
        Named("ios 9.3.5", "iOS 9.3.5", 26),
        Named("ios 10.2", "iOS 10.2", 16),
        Named("ios 8.4", "iOS 8.4", 8),
        Named.plain("iPhone iOS 7.1.2", 5),
        Named("ios 7.0.4", "iOS 7.0.4", 4),
        Named("ios 6.1", "iOS  6.1", 3),
    ),
)

ANDROID = Platform(
    "android",
    devices=(
        Named("SM-G930F", "Galaxy S7", 22),
        Named("SM-G900V", "Galaxy S5 Verizon", 17),
        Named("Nexus 5X", "LGE Nexus 5X", 13),
        Named("SM-J500FN", "Galaxy J5", 12),
        Named("XT1032", "Moto G", 10),
        Named.plain("HTC One_M8", 8),
        Named("Nexus 7", "Asus Nexus 7", 7),
        Named("E5823", "Xperia Z5 Compact", 6),
        Named.plain("sdk", 1),
    ),
    systems=(
        Named("android 6.0.1", "Android 6.0.1", 36),
        Named("android 5.1.1", "Android 5.1.1", 22),
        Named("android 7.0", "Android 7.0", 15),
        Named("android 4.4.2", "Android 4.4.2", 14),
        Named("android 5.0", "Android 5.0", 9),
        Named("android 4.1.2", "Android 4.1.2", 4),
    ),
)

CARRIERS = (
    Named("unknown", "WiFi only device", 24),
    Named.plain("AT&T", 16),
    Named.plain("Verizon", 14),
    Named.plain("T-Mobile", 10),
    Named.plain("Sprint", 8),
    Named("vf nl", "Vodafone (Netherlands)", 6),
    Named.plain("Telcel", 4),
    Named.plain("KDDI", 4),
    Named.plain("Orange F", 3),
    Named.plain("Carrier", 2),
    Named.plain("C Spire", 2),
    Named.plain("Claro Puerto Rico", 2),
    Named.plain("[INVALID UTF8 CARRIER]", 1),
)

SERVICES = (
    Service("google", "www.google-analytics.com", ("/collect", "/batch"), 24, 190, 2_100, 900, 0.8),
    Service("facebook", "graph.facebook.com", ("/v2.8/me", "/v2.8/activities"), 18, 320, 5_400, 1_200, 1.6),
    Service(
        "amazonaws", "media.s3.amazonaws.com", ("/images/hero.jpg", "/images/thumb.jpg"), 16, 260, 64_000, 500, 0.9
    ),
    Service(
        "shop.example.com", "shop.example.com", ("/v1/items", "/v1/cart", "/v1/orders"), 15, 480, 9_800, 2_600, 3.2
    ),
    Service("api.example.com", "api.example.com", ("/v3/session", "/v3/feed"), 12, 410, 21_000, 1_800, 2.4),
    Service("twitter", "api.twitter.com", ("/1.1/statuses/home_timeline.json",), 6, 370, 14_000, 800, 2.1),
    Service("urbanairship", "device-api.urbanairship.com", ("/api/channels",), 4, 350, 700, 1_500, 1.2),
    Service("youtube", "i.ytimg.com", ("/vi/default.jpg",), 3, 240, 38_000, 400, 0.5),
    Service("login.hotspot.wifi.lan", "login.hotspot.wifi.lan", ("/",), 2, 1_900, 3_000, 400, 38.0),
)

COUNTRIES = (
    Country("US", "United States", "Texas", 32.78, -96.8, 46, 1.0),
    Country("DE", "Germany", "Berlin", 52.52, 13.4, 12, 0.9),
    Country("NL", "Netherlands", "Noord-Holland", 52.35, 4.92, 9, 0.8),
    Country("JP", "Japan", "Tokyo", 35.69, 139.75, 9, 1.1),
    Country("BR", "Brazil", "Sao Paulo", -23.55, -46.64, 8, 1.9),
    Country("MX", "Mexico", "Distrito Federal", 19.43, -99.13, 7, 1.6),
    Country("TH", "Thailand", "Bangkok", 13.78, 100.58, 5, 2.1),
    Country("FR", "France", "Ile-de-France", 48.86, 2.34, 4, 0.9),
)

VERSION_NAMES = (
    ("1.0", "1.0.1", "1.1", "1.2", "2.0", "2.0.1"),
    ("0.4.2", "1.1a", "1.3.1", "1.4"),
    ("6.6.1 (3700)", "6.6.1 (3702)", "6.6.1 (3705)", "6.7.0 (3811)", "6.8.0 (3902)"),
    ("3.14", "dot_2", "4.0", "4.1 (beta+1)", "4.1"),
    ("2015.10", "2016.2", "2016.6", "2016.9", "2016.11", "2016.12", "2016.12.1"),
)

APP_NAMES = (
    ("Sunrise", "Copper", "Harbor", "Lantern", "Meadow", "Orbit", "Pebble", "Quartz", "Ripple", "Summit"),
    ("Banking", "Chess", "Fitness", "Maps & Guides", "News", "Photo", "Recipes", "Shop", "Travel", "Weather"),
)
