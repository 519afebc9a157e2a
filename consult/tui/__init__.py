"""The terminal application: home, consultation, replay, forks, a human as the doctor or the patient. The only home of textual.

`app` is the application, `themes` its colours. `home` has the lists, `sources` and `left` what stands in them, `listing`
the windowed widget, `start`, `pick` and `help` the boxes. `consultation` is the screen of one, with `dialogue`, `side`,
`beside` and `tape`; `feed` brings its events, live or kept. `branching` forks it and shows the tree; `opening` says which screen
a choice opens. `batches` watches a run, cell by cell in `grid`; `batch_form` begins one. `browser` is the process behind a
page of `consult serve`. `table` plays what happens now, `playing` shows it; `typed` and `words` are for a human player; the bare terminal
(`consult play`) uses `table` and `typed`, too, which import no textual. What an event looks like is decided in
`consult.show`, never here. Loaded when it is opened. See docs/tui.md.
"""
