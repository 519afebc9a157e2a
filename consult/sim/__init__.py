"""The simulation: state, nodes, routing, graph, session. The only home of langgraph."""
