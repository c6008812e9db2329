"""The service's nouns as frozen attrs classes, one file per family.

| file | what it holds |
| --- | --- |
| `result` | what every result keeps and can do |
| `apps` | the caller's apps |
| `monitoring` | pies and graphs, of errors and of performance |
| `performance` | rankings of endpoints and services, values by country |
| `error_groups`, `error_details` | crashes and exceptions: in lists, by day, page by page, in full |
| `diagnostics`, `breadcrumbs` | under which conditions, after which steps, to whom: personal data |
| `trends`, `live` | the last month; the last five minutes |
| `transactions` | userflows |
| `access` | the token, the discovery page, and answers without a model |
| `choices`, `region`, `filters`, `days` | closed sets, the two sites, how filters and days are written |
| `frozen`, `tables`, `times`, `quantities` | values that cannot change, results as tables, texts as values |

An attribute that ends in ``_text`` is what the service sent; the same name without it is the typed reading. An
attribute that the service left out is None. Unknown keys are kept in ``extra``.

Nothing is imported here, so that the closed sets can be had without the rest.
"""
