"""Bulk pulls: what is wanted, in which units, with how few calls, and as which rows.

| file | what it holds |
| --- | --- |
| `plan`, `wanted` | what is to be pulled, as users say it |
| `survey`, `windows`, `expanding` | the apps and the days that are meant; from a plan to its units |
| `units`, `families`, `fetches` | what a pull is made of, kind by kind; the calls that fill it |
| `planner`, `savings`, `preview` | as few calls as facts about the service allow; what they would be |
| `agenda`, `rounds` | what is due; in which order lists and what they name are asked for |
| `runner`, `crew` | a pull as it runs, and its workers |
| `rows`, `group_rows`, `userflow_rows`, `figures` | answers as rows |
| `ledger`, `ledger_file`, `ledger_lock` | what is remembered, past any kill, by one pull at a time |
| `report`, `outputs`, `whole_files` | what became of a pull; its rows as files, whole or not there |
| `watch`, `spool`, `recipes`, `sinks` | again and again: plans with schedules, and where their numbers go |
"""
