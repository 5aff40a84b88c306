"""SiteMuster (实名台): the desktop program for real-name management of a building site.

The folders are the stations of two journeys: a punch travels terminal → ``punches`` →
``attendance`` → ``months`` → paper; a person travels ``people`` → contract → registration →
terminals → gate. A station may know those before it, never those after it.
"""

__version__ = "0.2.0"
