"""The host catalog: the document, its reading, its history, and the selection a plan is made from."""
