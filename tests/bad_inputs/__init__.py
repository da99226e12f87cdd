"""Inputs that are bad, hostile or merely unusual, each with its truth and with what must happen.

Two sites of 100 m by 100 m on the toy city: half of the first lies in the redline, the second lies away from it. Every case says
the same two sites in a way of its own, or something about them that is not so.
"""
