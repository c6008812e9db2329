"""The service's nouns as frozen attrs classes, one file per family.

| file | what it holds |
| --- | --- |
| `result` | what every result keeps and can do |
| `apps` | the caller's apps |
| `monitoring` | pies and graphs |
| `access` | the token and the discovery page |
| `choices`, `region`, `filters`, `days` | closed sets, the two sites, how filters and days are written |
| `frozen`, `tables`, `times` | values that cannot change, results as tables, times as Python's |

An attribute that ends in ``_text`` is what the service sent; the same name without it is the typed reading.
"""
