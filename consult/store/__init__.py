"""What is kept of consultations: transcripts (JSONL), their summaries, and the SQLite database of results.

The only home of sqlite-utils. Must not import langgraph, litellm, textual, scipy or numpy.
"""
