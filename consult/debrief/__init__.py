"""What a finished consultation can teach the doctor who led it: what was missed, left unsaid, and better put.

`model` is the debrief as data, `build` makes it, `moves` says how things stood at each of the doctor's moves, `missed`,
`unsaid`, `views`, `better` and `otherwise` make its parts, `words` says it in sentences, alike in the terminal
application, in plain text, in Markdown and on a page. All reckoning here is ours. Must not import textual, rich or jinja2.
"""
