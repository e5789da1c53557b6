"""Models behind OpenAI-compatible servers such as vLLM: token ids go out and come back, over HTTP."""
