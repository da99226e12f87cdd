"""The page for planners: a site given as a file, as text or drawn, checked, and answered in a browser.

`server` starts it; `work` is what its worker processes do, by calling reading, screening and exports; `views` show that.
"""
