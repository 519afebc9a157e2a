"""The terminal application in a browser (`consult serve`): a server that guards the door and starts one application a page.

The only home of textual-serve. Imports none of consult but `errors`; the application itself is `consult.tui.browser`, in
a process of its own for each page. `pages` has what the browser gets from us; it asks nothing of any other place. See
docs/serve.md.
"""
