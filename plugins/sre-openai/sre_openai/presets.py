"""The providers and servers that are known by name, as their documentation describes them in November 2026."""

from collections.abc import Mapping
from types import MappingProxyType

from sre_openai.preset import Preset, Thinking

__all__ = ["PRESETS"]

_LOCAL = frozenset({"tools", "schema", "images", "embed"})
_THOUGHTLESS = ("gpt-3.5", "gpt-4", "chatgpt-4o", "gpt-audio", "gpt-5-chat")
_EFFORT = Thinking(on={"reasoning_effort": "medium"}, off={"reasoning_effort": "none"})
# Only since GPT-5.1 can they be told not to think.
_OLDER = Thinking(models=("gpt-5-", "o1-", "o3-", "o4-"), on={"reasoning_effort": "medium"})
_TEMPLATE = Thinking(
    on={"chat_template_kwargs": {"enable_thinking": True}}, off={"chat_template_kwargs": {"enable_thinking": False}}
)
_ENABLED = Thinking(on={"reasoning": {"enabled": True}}, off={"reasoning": {"enabled": False}})

_CLOUD = (
    Preset(
        name="openai",
        title="OpenAI",
        docs="https://developers.openai.com/api/reference",
        url="https://api.openai.com/v1",
        # Since GPT-5.4 its models call functions in chat completions only when they are told not to think.
        api="responses",
        model="gpt-6.1-terra",
        embedding_model="text-embedding-3-small",
        image_model="gpt-image-2",
        capabilities=frozenset(
            {"tools", "schema", "reasoning", "images", "audio", "documents", "embed", "image-generation"}
        ),
        max_tokens="max_completion_tokens",
        system_role="developer",
        # Models that think refuse them.
        stops=0,
        strict=True,
        encrypted=True,
        thinking=(_OLDER, _EFFORT),
        thoughtless=_THOUGHTLESS,
        packed_vectors=True,
        image_edits=True,
    ),
    Preset(
        name="azure",
        title="Azure OpenAI",
        docs="https://learn.microsoft.com/azure/ai-foundry/openai/reference",
        key_header="api-key",
        api="responses",
        capabilities=frozenset(
            {"tools", "schema", "reasoning", "images", "audio", "documents", "embed", "image-generation"}
        ),
        max_tokens="max_completion_tokens",
        system_role="developer",
        stops=0,
        strict=True,
        # https://learn.microsoft.com/azure/ai-foundry/openai/how-to/structured-outputs
        strict_bounds=False,
        encrypted=True,
        thinking=(_OLDER, _EFFORT),
        thoughtless=_THOUGHTLESS,
        packed_vectors=True,
        image_edits=True,
    ),
    Preset(
        name="groq",
        title="Groq",
        docs="https://console.groq.com/docs/openai",
        url="https://api.groq.com/openai/v1",
        model="openai/gpt-oss-120b",
        # It does not stream replies under a schema.
        capabilities=frozenset({"tools", "reasoning", "images"}),
        max_tokens="max_completion_tokens",
        thinking=(
            Thinking(models=("openai/gpt-oss",), on={"reasoning_effort": "medium", "include_reasoning": True}),
            Thinking(
                models=("qwen/",),
                on={"reasoning_effort": "default", "reasoning_format": "parsed"},
                off={"reasoning_effort": "none"},
            ),
        ),
    ),
    Preset(
        name="perplexity",
        title="Perplexity",
        docs="https://docs.perplexity.ai/docs/agent-api/openai-compatibility",
        url="https://api.perplexity.ai/v1",
        # Its chat completions ended on 27 September 2026.
        api="responses",
        model="perplexity/sonar",
        capabilities=frozenset({"tools", "reasoning", "images"}),
        stored=False,
        stops=0,
        thinking=(_EFFORT,),
    ),
    Preset(
        name="xai",
        title="xAI",
        docs="https://docs.x.ai/docs/api-reference",
        url="https://api.x.ai/v1",
        model="grok-4.7",
        image_model="grok-imagine-image",
        capabilities=frozenset({"tools", "schema", "reasoning", "images", "image-generation"}),
        max_tokens="max_completion_tokens",
        # Models that think refuse them.
        stops=0,
        encrypted=True,
        thinking=(
            Thinking(models=("grok-4.3",), on={"reasoning_effort": "medium"}, off={"reasoning_effort": "none"}),
            Thinking(on={"reasoning_effort": "medium"}),
        ),
        image_format="b64_json",
    ),
    Preset(
        name="together",
        title="Together AI",
        docs="https://docs.together.ai/docs/openai-api-compatibility",
        url="https://api.together.xyz/v1",
        model="openai/gpt-oss-120b",
        embedding_model="intfloat/multilingual-e5-large-instruct",
        image_model="black-forest-labs/FLUX.1-schnell",
        capabilities=frozenset({"tools", "schema", "reasoning", "images", "embed", "image-generation"}),
        thinking=(_ENABLED,),
        image_format="base64",
    ),
    Preset(
        name="deepseek",
        title="DeepSeek",
        docs="https://api-docs.deepseek.com",
        url="https://api.deepseek.com",
        model="deepseek-flash",
        # JSON it can be asked for, a schema it cannot.
        capabilities=frozenset({"tools", "reasoning"}),
        stops=16,
        thinking=(Thinking(on={"thinking": {"type": "enabled"}}, off={"thinking": {"type": "disabled"}}),),
        thoughts="reasoning_content",
    ),
    Preset(
        name="mistral",
        title="Mistral AI",
        docs="https://docs.mistral.ai/api",
        url="https://api.mistral.ai/v1",
        model="mistral-medium-latest",
        embedding_model="mistral-embed",
        capabilities=frozenset({"tools", "schema", "reasoning", "images", "documents", "embed"}),
        stream_options=False,
        seed="random_seed",
        required="any",
        thinking=(
            Thinking(models=("magistral",)),
            Thinking(
                models=("mistral-small", "mistral-medium", "mistral-large"),
                on={"reasoning_effort": "high"},
                off={"reasoning_effort": "none"},
            ),
        ),
        thoughts="content",
        documents="document_url",
        short_call_ids=True,
    ),
    Preset(
        name="openrouter",
        title="OpenRouter",
        docs="https://openrouter.ai/docs/api-reference/overview",
        url="https://openrouter.ai/api/v1",
        model="openrouter/auto",
        capabilities=frozenset({"tools", "schema", "reasoning", "images", "audio", "documents", "embed"}),
        effort="reasoning",
        thinking=(_ENABLED,),
        thoughts="reasoning_details",
    ),
    Preset(
        name="huggingface",
        title="Hugging Face Inference Providers",
        docs="https://huggingface.co/docs/inference-providers/tasks/chat-completion",
        url="https://router.huggingface.co/v1",
        model="openai/gpt-oss-120b",
        capabilities=frozenset({"tools", "schema", "images"}),
        thinking=(_EFFORT,),
    ),
)

_SERVERS = (
    Preset(
        name="ollama",
        title="Ollama",
        docs="https://docs.ollama.com/openai",
        url="http://127.0.0.1:11434/v1",
        needs_key=False,
        capabilities=_LOCAL | {"reasoning"},
        thinking=(_EFFORT,),
    ),
    Preset(
        name="lmstudio",
        title="LM Studio",
        docs="https://lmstudio.ai/docs/developer/openai-compat",
        url="http://127.0.0.1:1234/v1",
        needs_key=False,
        capabilities=_LOCAL,
        thinking=(_EFFORT,),
    ),
    Preset(
        name="vllm",
        title="vLLM",
        docs="https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html",
        url="http://127.0.0.1:8000/v1",
        needs_key=False,
        capabilities=_LOCAL | {"reasoning", "audio"},
        thinking=(_TEMPLATE,),
    ),
    Preset(
        name="sglang",
        title="SGLang",
        docs="https://docs.sglang.ai/basic_usage/openai_api.html",
        url="http://127.0.0.1:30000/v1",
        needs_key=False,
        capabilities=_LOCAL | {"reasoning"},
        thinking=(_TEMPLATE,),
    ),
    Preset(
        name="llamacpp",
        title="llama.cpp",
        docs="https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md",
        url="http://127.0.0.1:8080/v1",
        needs_key=False,
        capabilities=_LOCAL | {"reasoning"},
        thinking=(_TEMPLATE,),
        any_model=True,
    ),
    Preset(
        name="compatible",
        title="any compatible server",
        docs="https://developers.openai.com/api/reference/resources/chat",
        needs_key=False,
        capabilities=_LOCAL,
        thinking=(_EFFORT,),
    ),
)

PRESETS: Mapping[str, Preset] = MappingProxyType({preset.name: preset for preset in (*_CLOUD, *_SERVERS)})
