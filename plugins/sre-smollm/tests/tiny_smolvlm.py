"""A tiny random SmolVLM with the real architecture and processor files, and a tiny LLaVA beside it."""

from pathlib import Path

# As released with SmolVLM.
TEMPLATE = (
    "<|im_start|>{% for message in messages %}{{message['role'] | capitalize}}"
    "{% if message['content'][0]['type'] == 'image' %}{{':'}}{% else %}{{': '}}{% endif %}"
    "{% for line in message['content'] %}{% if line['type'] == 'text' %}{{line['text']}}"
    "{% elif line['type'] == 'image' %}{{ '<image>' }}{% endif %}{% endfor %}<end_of_utterance>\n{% endfor %}"
    "{% if add_generation_prompt %}{{ 'Assistant:' }}{% endif %}"
)
# Pixels of the side of a tile, and of the longer side of a picture that is cut into tiles.
TILE, LONGEST = 32, 128
# Large enough that what is written depends on all that was read.
_SPREAD = 0.4

_VISION = {
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "image_size": TILE,
    "patch_size": 8,
}
_TEXT = {
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 2048,
    "initializer_range": _SPREAD,
    "bos_token_id": None,
}


def _tokenizer(folder: Path):
    """Letters alone, with the marks of SmolVLM."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    raw = Tokenizer(models.BPE(vocab={letter: number for number, letter in enumerate(letters)}, merges=[]))
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    raw.decoder = decoders.ByteLevel()
    tiles = [f"<row_{row}_col_{column}>" for row in range(1, 7) for column in range(1, 7)]
    marks = ["<|endoftext|>", "<|im_start|>", "<end_of_utterance>", "<fake_token_around_image>", "<image>"]
    raw.add_special_tokens([*marks, "<global-img>", *tiles])
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=raw, eos_token="<end_of_utterance>", pad_token="<|endoftext|>", model_max_length=2048
    )
    tokenizer.chat_template = TEMPLATE
    tokenizer.save_pretrained(str(folder))
    return tokenizer


def _save(model, folder: Path) -> None:
    import torch

    torch.manual_seed(11)
    # What is drawn for the part that looks is so small that all pictures would look alike.
    for name, weight in model.named_parameters():
        if weight.dim() > 1 and ("vision" in name or "connector" in name or "projector" in name):
            torch.nn.init.normal_(weight, std=0.25)
    model.generation_config.eos_token_id = model.config.text_config.eos_token_id
    model.save_pretrained(str(folder))


def save_tiny_smolvlm(folder: Path, *, family: str = "SmolVLM") -> None:
    """The family may be Idefics3, too, from which SmolVLM comes."""
    import torch
    import transformers

    tokenizer = _tokenizer(folder)
    torch.manual_seed(5)
    ends = {"eos_token_id": tokenizer.eos_token_id, "pad_token_id": tokenizer.pad_token_id}
    config = getattr(transformers, f"{family}Config")(
        image_token_id=tokenizer.convert_tokens_to_ids("<image>"),
        vision_config={**_VISION},
        text_config={"model_type": "llama", "vocab_size": len(tokenizer), **_TEXT, **ends},
        scale_factor=2,
        tie_word_embeddings=False,
        **ends,
    )
    _save(getattr(transformers, f"{family}ForConditionalGeneration")(config), folder)
    images = getattr(transformers, f"{family}ImageProcessorPil")(
        size={"longest_edge": LONGEST}, max_image_size={"longest_edge": TILE}
    )
    images.save_pretrained(str(folder))


def save_tiny_qwen2_vl(folder: Path) -> None:
    """Qwen2-VL: tokens of pictures have positions of three parts, which is not known here."""
    import torch
    from transformers import Qwen2VLConfig, Qwen2VLForConditionalGeneration

    tokenizer = _tokenizer(folder)
    torch.manual_seed(5)
    ends = {"eos_token_id": tokenizer.eos_token_id, "pad_token_id": tokenizer.pad_token_id}
    rotation = {"rope_type": "default", "rope_theta": 10000.0, "mrope_section": [1, 1, 2]}
    config = Qwen2VLConfig(
        image_token_id=tokenizer.convert_tokens_to_ids("<image>"),
        vision_config={"depth": 1, "embed_dim": 32, "hidden_size": 32, "num_heads": 2, "patch_size": 8},
        text_config={"vocab_size": len(tokenizer), **_TEXT, **ends, "rope_parameters": rotation},
        **ends,
    )
    _save(Qwen2VLForConditionalGeneration(config), folder)


def save_tiny_llava(folder: Path) -> None:
    """LLaVA: one picture is one run of marks, with nothing around it."""
    import torch
    from transformers import CLIPImageProcessorPil, LlavaConfig, LlavaForConditionalGeneration, LlavaProcessor

    tokenizer = _tokenizer(folder)
    torch.manual_seed(5)
    ends = {"eos_token_id": tokenizer.eos_token_id, "pad_token_id": tokenizer.pad_token_id}
    config = LlavaConfig(
        image_token_index=tokenizer.convert_tokens_to_ids("<image>"),
        vision_config={"model_type": "clip_vision_model", **_VISION},
        text_config={"model_type": "llama", "vocab_size": len(tokenizer), **_TEXT, **ends},
    )
    _save(LlavaForConditionalGeneration(config), folder)
    images = CLIPImageProcessorPil(size={"shortest_edge": TILE}, crop_size={"height": TILE, "width": TILE})
    LlavaProcessor(
        image_processor=images,
        tokenizer=tokenizer,
        patch_size=8,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        chat_template=TEMPLATE,
    ).save_pretrained(str(folder))
