"""Where numbers over time go: Graphite by a line each, Prometheus by what it scrapes.

Neither of them confirms what it has taken. Both close the connection in order when they have read all of it, and it is
reset otherwise: that is taken for a receipt. Where none comes, the same points are sent again. So a sink that is down
delays points and loses none, and only what was under way when a connection or a process was cut may arrive twice: with
the same name, instant and value, which both of them keep once.
"""
