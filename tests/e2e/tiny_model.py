"""A complete little model: a two-layer llama with random weights and a SentencePiece vocabulary of single bytes and a few
words. It speaks nonsense, always the same, and is made in a moment; that is all end-to-end tests need."""
import array
import random
import struct

N_EMBD, N_FF, N_LAYERS, N_HEADS, N_KV_HEADS, N_CTX = 64, 128, 2, 4, 2, 4096
WORDS = ["\u2581the", "\u2581a", "\u2581cat", "\u2581dog", "\u2581and", "\u2581sat", "ing", "ed", "."]
# The merges that lead from single characters to the words above: SentencePiece merges pairs only into pieces it has.
STEPS = ["\u2581t", "\u2581th", "\u2581c", "\u2581ca", "\u2581d", "\u2581do", "\u2581an", "\u2581s", "\u2581sa", "in"]
LETTERS = ["\u2581"] + [chr(c) for c in range(ord("a"), ord("z") + 1)]
PIECES = ["<unk>", "<s>", "</s>"] + ["<0x%02X>" % b for b in range(256)] + LETTERS + STEPS + WORDS
N_VOCAB = len(PIECES)
UNKNOWN, CONTROL, NORMAL, BYTE = 2, 3, 1, 6
U32, F32, I32, STR, ARRAY, BOOL = 4, 6, 5, 8, 9, 7


def _text(s):
    data = s.encode()
    return struct.pack("<Q", len(data)) + data


def _value(kind, v):
    if kind == STR:
        return _text(v)
    if kind == ARRAY:
        of, items = v
        return struct.pack("<IQ", of, len(items)) + b"".join(_value(of, i) for i in items)
    return struct.pack({U32: "<I", I32: "<i", F32: "<f", BOOL: "<?"}[kind], v)


def _meta(n_ctx):
    token_types = [UNKNOWN, CONTROL, CONTROL] + [BYTE] * 256 + [NORMAL] * (N_VOCAB - 259)
    head_dim = N_EMBD // N_HEADS
    return [
        ("general.architecture", STR, "llama"),
        ("general.name", STR, "tiny"),
        ("llama.context_length", U32, n_ctx),
        ("llama.embedding_length", U32, N_EMBD),
        ("llama.block_count", U32, N_LAYERS),
        ("llama.feed_forward_length", U32, N_FF),
        ("llama.attention.head_count", U32, N_HEADS),
        ("llama.attention.head_count_kv", U32, N_KV_HEADS),
        ("llama.attention.layer_norm_rms_epsilon", F32, 1e-5),
        ("llama.rope.dimension_count", U32, head_dim),
        ("llama.vocab_size", U32, N_VOCAB),
        ("tokenizer.ggml.model", STR, "llama"),
        ("tokenizer.ggml.tokens", ARRAY, (STR, PIECES)),
        ("tokenizer.ggml.scores", ARRAY, (F32, [-float(i) for i in range(N_VOCAB)])),
        ("tokenizer.ggml.token_type", ARRAY, (I32, token_types)),
        ("tokenizer.ggml.bos_token_id", U32, 1),
        ("tokenizer.ggml.eos_token_id", U32, 2),
        ("tokenizer.ggml.unknown_token_id", U32, 0),
        ("tokenizer.ggml.add_bos_token", BOOL, True),
        ("tokenizer.ggml.add_eos_token", BOOL, False),
    ]


def _tensors():
    kv = N_KV_HEADS * N_EMBD // N_HEADS
    yield "token_embd.weight", [N_VOCAB, N_EMBD]
    for i in range(N_LAYERS):
        yield f"blk.{i}.attn_norm.weight", [N_EMBD]
        yield f"blk.{i}.attn_q.weight", [N_EMBD, N_EMBD]
        yield f"blk.{i}.attn_k.weight", [kv, N_EMBD]
        yield f"blk.{i}.attn_v.weight", [kv, N_EMBD]
        yield f"blk.{i}.attn_output.weight", [N_EMBD, N_EMBD]
        yield f"blk.{i}.ffn_norm.weight", [N_EMBD]
        yield f"blk.{i}.ffn_gate.weight", [N_FF, N_EMBD]
        yield f"blk.{i}.ffn_up.weight", [N_FF, N_EMBD]
        yield f"blk.{i}.ffn_down.weight", [N_EMBD, N_FF]
    yield "output_norm.weight", [N_EMBD]
    yield "output.weight", [N_VOCAB, N_EMBD]


def write(path, more_meta=(), n_ctx=N_CTX):
    """GGUF version 3, all tensors F32; shapes above are slowest first, the file wants them the other way. more_meta: (key, kind, value)."""
    rng = random.Random(20)
    head, data = b"", b""
    meta, tensors = _meta(n_ctx) + list(more_meta), list(_tensors())
    for key, kind, v in meta:
        head += _text(key) + struct.pack("<I", kind) + _value(kind, v)
    for name, shape in tensors:
        n = shape[0] * (shape[1] if len(shape) == 2 else 1)
        weights = [1.0] * n if len(shape) == 1 else [rng.gauss(0, 0.15) for _ in range(n)]
        if name == "output.weight":  # logit 0 for the three special tokens: greedy decoding never ends by itself
            weights[:3 * N_EMBD] = [0.0] * (3 * N_EMBD)
        head += _text(name) + struct.pack("<I%dQ" % len(shape), len(shape), *reversed(shape))
        head += struct.pack("<IQ", 0, len(data))
        content = array.array("f", weights).tobytes()
        data += content + bytes(-len(content) % 32)
    head = struct.pack("<IIQQ", 0x46554747, 3, len(tensors), len(meta)) + head
    path.write_bytes(head + bytes(-len(head) % 32) + data)
