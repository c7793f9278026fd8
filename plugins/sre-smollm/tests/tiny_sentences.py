"""A tiny random sentence-transformers folder, made on the spot from the real parts."""

import json
from pathlib import Path

WORDS = ("the", "sea", "is", "deep", "query", "night", "falls", "a", "b", "c", ":", "and")
_SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")


def save_tokenizer(folder: Path) -> None:
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

    vocabulary = {word: number for number, word in enumerate((*_SPECIAL, *WORDS))}
    made = Tokenizer(models.WordPiece(vocab=vocabulary, unk_token="[UNK]"))
    made.normalizer = normalizers.BertNormalizer(lowercase=True)
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    ends = [("[CLS]", vocabulary["[CLS]"]), ("[SEP]", vocabulary["[SEP]"])]
    made.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=ends)
    made.add_special_tokens(list(_SPECIAL))
    # What a folder may come with, and what must not count.
    made.enable_padding(length=12)
    made.enable_truncation(5)
    made.save(str(folder / "tokenizer.json"))


def save_sentences(folder: Path, *, pooling: dict | None = None, architecture: str = "bert", limit: int = 24) -> Path:
    import torch
    from transformers import AutoModel, BertConfig, RobertaConfig

    folder.mkdir(parents=True, exist_ok=True)
    save_tokenizer(folder)
    torch.manual_seed(1)
    kind = {"bert": BertConfig, "roberta": RobertaConfig}[architecture]
    config = kind(
        vocab_size=len(WORDS) + len(_SPECIAL),
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=40,
        pad_token_id=0,
        initializer_range=0.5,
    )
    AutoModel.from_config(config).save_pretrained(str(folder))
    write(folder / "1_Pooling" / "config.json", {"word_embedding_dimension": 16} | (pooling or {}))
    write(folder / "sentence_bert_config.json", {"max_seq_length": limit, "do_lower_case": False})
    modules(folder, "Transformer", "1_Pooling:Pooling")
    return folder


def write(path: Path, content: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))


def modules(folder: Path, *names: str) -> None:
    """Write modules.json from names like "2_Dense:Dense"; a name alone lies in the folder itself."""
    parts = [name.rpartition(":") for name in names]
    kinds = [(path, kind if "." in kind else f"sentence_transformers.models.{kind}") for path, _, kind in parts]
    entries = [
        {"idx": number, "name": str(number), "path": path, "type": kind} for number, (path, kind) in enumerate(kinds)
    ]
    write(folder / "modules.json", entries)


def states(folder: Path, text: str, *, limit: int = 24):
    """The last hidden states of one text, as transformers itself computes them: shape (tokens, hidden)."""
    import torch
    from tokenizers import Tokenizer
    from transformers import AutoModel

    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(limit)
    ids = torch.tensor([tokenizer.encode(text).ids])
    network = AutoModel.from_pretrained(str(folder), dtype=torch.float32).eval()
    with torch.inference_mode():
        return network(input_ids=ids, attention_mask=torch.ones_like(ids))[0][0].numpy()
