"""Agents that are language models: inquirer, patient, recipient, triage. They ask through `consult.llm`; their words stand in prompts/.

Must not import consult.sim; imports neither litellm nor aiohttp.
"""
