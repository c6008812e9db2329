"""Recipes: plans of what people pull again and again, how often, and which numbers over time come of the answers.

| recipe | what | every |
| --- | --- | --- |
| `daily` | eight metrics of each day that is over, dated by the app's own midnight | hour |
| `grouped` | running totals by version and by carrier, carriers merged | 10 minutes |
| `services` | network calls of the last 15 minutes, by service | 15 minutes |
| `live` | loads and crashes in windows of ten seconds | 5 minutes |
| `crashes` | groups of crashes and exceptions, and how many sessions they ended since last time | 10 minutes |
| `userflows` | userflows and how they ended | 30 minutes |
| `cuts` | running totals by device, system and version; today's counts and trends | hour |
| `network` | the ten worst endpoints, services and countries of the last four hours | hour |
| `release` | crash rates and adoption of the newest version, its crashes ranked | hour |

Each is a file ``NAME.toml`` beside this one: a plan with a table ``[recipe]`` more, to be copied and changed.
"""
