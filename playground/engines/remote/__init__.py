"""Models on OpenAI-compatible servers such as vLLM: token ids out and back, over HTTP."""
