"""The models of make_hf_models.py: classes of Hugging Face's transformers, with configurations in the forms in which models are published.

Each case: config and class of the library, changes to the smallest configuration; drop and add: keys of config.json that become what
older versions of the library wrote; is_encoder, is_classifier, pooling and dense: what is asked for, see make_hf_models.py."""

BASE = dict(vocab_size=32, hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=4,
            num_key_value_heads=2, max_position_embeddings=128, bos_token_id=1, eos_token_id=2, pad_token_id=0,
            tie_word_embeddings=False)
WIDE = dict(vocab_size=64, hidden_size=32, intermediate_size=48)
# heads of 8: rotations of more than two pairs
HEADS = dict(num_attention_heads=2, num_key_value_heads=1)
LLAMA3 = {"rope_type": "llama3", "rope_theta": 10000.0, "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
          "original_max_position_embeddings": 32}
YARN = {"factor": 4.0, "original_max_position_embeddings": 32, "rope_type": "yarn"}
MOE = dict(num_experts_per_tok=2)
GRANITE = dict(logits_scaling=2.0, residual_multiplier=0.5, embedding_multiplier=3.0, attention_multiplier=0.25)
MAMBA = dict(mamba_n_heads=4, mamba_d_head=8, mamba_d_state=8, mamba_n_groups=1, mamba_expand=2, mamba_chunk_size=16)
# what the library has written since its version 5
NEW_ROPE = ("rope_parameters", "layer_types")
LONG = dict(long_factor=[1.0, 3.5, 9.0, 20.0], short_factor=[1.0, 1.25, 1.5, 2.0], type="longrope")

CASES = {}


def case(name, stem, model_class, changes=(), **more):
    CASES[name] = {"config": stem + "Config", "class": stem + model_class, "changes": {**BASE, **dict(changes)}, **more}


def causal(name, stem, changes=(), **more):
    case(name, stem, "ForCausalLM", changes, **more)


# ---- Llama and those like it ----
causal("llama", "Llama", dict(WIDE, rope_parameters=LLAMA3, attention_bias=True))
causal("llama_shards", "Llama", dict(WIDE, mlp_bias=True))
causal("llama_3_2", "Llama", dict(HEADS, tie_word_embeddings=True), drop=NEW_ROPE,
       add=dict(rope_theta=10000.0, rope_scaling={k: v for k, v in LLAMA3.items() if k != "rope_theta"}, pretraining_tp=1))
causal("llama_linear", "Llama", HEADS, drop=NEW_ROPE, add=dict(rope_theta=1e6, rope_scaling=dict(type="linear", factor=4.0)))
causal("llama_dynamic", "Llama", HEADS, drop=NEW_ROPE, add=dict(rope_scaling=dict(type="dynamic", factor=2.0)))
causal("llama_yarn", "Llama", HEADS, drop=NEW_ROPE,
       add=dict(rope_theta=5e5, rope_scaling=dict(YARN, beta_fast=16, beta_slow=2, attention_factor=1.25)))
causal("llama_yarn_new", "Llama", dict(HEADS, rope_parameters=dict(YARN, rope_theta=5e5)))
causal("mistral", "Mistral", dict(sliding_window=None, head_dim=8))
causal("mistral_window", "Mistral", dict(sliding_window=5), drop=NEW_ROPE, add=dict(rope_theta=10000.0))
causal("mixtral", "Mixtral", dict(num_local_experts=4, **MOE), drop=NEW_ROPE, add=dict(rope_theta=1e6, sliding_window=None))
causal("smollm3", "SmolLM3", dict(num_hidden_layers=4, tie_word_embeddings=True))
causal("olmo2", "Olmo2", dict(num_key_value_heads=4, attention_bias=True))
causal("olmo3", "Olmo3", dict(HEADS, num_hidden_layers=4, num_key_value_heads=2, sliding_window=5), drop=("rope_parameters",),
       add=dict(rope_theta=5e5, rope_scaling=dict(YARN, attention_factor=1.2079441541679836, beta_fast=32, beta_slow=1)))
causal("olmo3_new", "Olmo3", dict(num_hidden_layers=4, sliding_window=5))

causal("olmoe", "Olmoe", dict(num_key_value_heads=4, num_experts=4, norm_topk_prob=False, **MOE), drop=NEW_ROPE, add=dict(rope_theta=10000.0))

# ---- Qwen ----
causal("qwen2", "Qwen2", dict(tie_word_embeddings=True), drop=NEW_ROPE,
       add=dict(rope_theta=1e6, use_sliding_window=False, sliding_window=8, max_window_layers=1))
causal("qwen2_yarn", "Qwen2", HEADS, drop=NEW_ROPE,
       add=dict(rope_theta=1e6, rope_scaling=dict(type="yarn", factor=4.0, original_max_position_embeddings=32)))
causal("qwen2_window", "Qwen2", dict(num_hidden_layers=3), drop=NEW_ROPE,
       add=dict(use_sliding_window=True, sliding_window=5, max_window_layers=1))
causal("qwen2_window_new", "Qwen2", dict(num_hidden_layers=3, use_sliding_window=True, sliding_window=5, max_window_layers=1))
causal("qwen2moe", "Qwen2Moe", dict(num_experts=4, moe_intermediate_size=12, shared_expert_intermediate_size=20, **MOE))
causal("qwen3", "Qwen3", dict(head_dim=8, attention_bias=True))
causal("qwen3_embedding", "Qwen3", dict(head_dim=8, tie_word_embeddings=True), pooling="lasttoken", is_encoder=True,
       drop=NEW_ROPE, add=dict(rope_theta=1e6))
causal("qwen3moe", "Qwen3Moe", dict(num_experts=4, moe_intermediate_size=12, head_dim=4, norm_topk_prob=True, **MOE))
causal("qwen3moe_plain", "Qwen3Moe", dict(num_experts=4, moe_intermediate_size=12, head_dim=4, norm_topk_prob=False, **MOE))

# ---- Gemma ----
causal("gemma2", "Gemma2", dict(head_dim=8, query_pre_attn_scalar=8, sliding_window=5, tie_word_embeddings=True), drop=NEW_ROPE,
       add=dict(rope_theta=10000.0))
causal("gemma2_scalar", "Gemma2", dict(head_dim=8, query_pre_attn_scalar=20, sliding_window=5, tie_word_embeddings=True))
GEMMA3 = dict(head_dim=8, query_pre_attn_scalar=8, sliding_window=5, num_hidden_layers=7, tie_word_embeddings=True)
CASES["gemma3"] = dict(config="Gemma3TextConfig", changes={**BASE, **GEMMA3}, **{"class": "Gemma3ForCausalLM"})
CASES["gemma3_scalar"] = dict(CASES["gemma3"], changes={**BASE, **GEMMA3, "num_hidden_layers": 4}, drop=NEW_ROPE,
                              add=dict(query_pre_attn_scalar=3, rope_theta=1e6, rope_local_base_freq=500.0,
                                       sliding_window_pattern=3, rope_scaling=dict(factor=8.0, rope_type="linear")))
# config.json of the larger Gemma 3: what is the class's default is not written
CASES["gemma3_pictures"] = dict(
    config="Gemma3Config", changes=dict(
        text_config={**BASE, **GEMMA3},
        vision_config=dict(hidden_size=8, intermediate_size=8, num_hidden_layers=1, num_attention_heads=1, image_size=8,
                           patch_size=4), mm_tokens_per_image=4),
    drop=(*NEW_ROPE, "rms_norm_eps", "max_position_embeddings", "tie_word_embeddings", "hidden_activation"),
    add=dict(rope_scaling=dict(factor=8.0, rope_type="linear")), **{"class": "Gemma3ForConditionalGeneration"})
CASES["gemma3_defaults"] = dict(
    CASES["gemma3_pictures"], drop=(*CASES["gemma3_pictures"]["drop"], "num_attention_heads", "num_key_value_heads", "head_dim",
                                    "query_pre_attn_scalar"))
CASES["gemma3_defaults"]["changes"] = dict(
    CASES["gemma3_pictures"]["changes"],
    text_config={**BASE, **GEMMA3, "num_attention_heads": 8, "num_key_value_heads": 4, "head_dim": 256,
                 "query_pre_attn_scalar": 256})
CASES["gemma_embedding"] = dict(
    config="Gemma3TextConfig", is_encoder=True, pooling="mean", dense=(24, 16),
    changes={**BASE, **GEMMA3, "num_hidden_layers": 4, "sliding_window_pattern": 3, "sliding_window": 8,
             "use_bidirectional_attention": True}, **{"class": "Gemma3TextModel"})

causal("gemma", "Gemma", dict(head_dim=8, tie_word_embeddings=True), drop=NEW_ROPE,
       add=dict(rope_theta=10000.0, hidden_act="gelu_pytorch_tanh"))

# ---- Phi ----
causal("phi3", "Phi3", dict(sliding_window=None))
causal("phi3_window", "Phi3", dict(sliding_window=5, tie_word_embeddings=True), drop=NEW_ROPE,
       add=dict(rope_theta=10000.0, rope_scaling=None))
causal("phi3_partial", "Phi3", dict(HEADS, partial_rotary_factor=0.75), drop=NEW_ROPE,
       add=dict(rope_theta=10000.0, partial_rotary_factor=0.75))
PHI3 = dict(HEADS, sliding_window=None, original_max_position_embeddings=64)
causal("phi3_short", "Phi3", dict(PHI3, max_position_embeddings=512, original_max_position_embeddings=256), drop=NEW_ROPE,
       add=dict(rope_theta=10000.0, rope_scaling=LONG))
causal("phi3_long", "Phi3", dict(PHI3, original_max_position_embeddings=8), drop=NEW_ROPE,
       add=dict(rope_theta=10000.0, rope_scaling=LONG))
causal("phi3_long_partial", "Phi3", dict(PHI3, original_max_position_embeddings=8), drop=NEW_ROPE,
       add=dict(rope_theta=10000.0, partial_rotary_factor=0.75,
                rope_scaling=dict(LONG, long_factor=LONG["long_factor"][:3], short_factor=LONG["short_factor"][:3])))

# ---- Granite ----
causal("granite", "Granite", dict(GRANITE, attention_bias=True, mlp_bias=True))
causal("granitemoe", "GraniteMoe", dict(num_local_experts=4, **GRANITE, **MOE))
causal("granitemoeshared", "GraniteMoeShared", dict(num_local_experts=4, shared_intermediate_size=20, **GRANITE, **MOE))
HYBRID = dict(shared_intermediate_size=20, num_hidden_layers=4, layer_types=["mamba", "mamba", "attention", "mamba"], **MAMBA, **MOE)
causal("granitehybrid", "GraniteMoeHybrid", dict(HYBRID, num_local_experts=4))
causal("granitehybrid_dense", "GraniteMoeHybrid", dict(HYBRID, num_local_experts=0, position_embedding_type="rope"))
causal("granitehybrid_attention", "GraniteMoeHybrid",
       dict(HYBRID, num_local_experts=0, num_hidden_layers=2, layer_types=["attention"] * 2, position_embedding_type="rope",
            tie_word_embeddings=True, **GRANITE))

causal("granitehybrid_attention_moe", "GraniteMoeHybrid",
       dict(HYBRID, num_local_experts=4, num_hidden_layers=2, layer_types=["attention"] * 2, position_embedding_type="rope"))

# ---- layer norms ----
causal("falcon", "Falcon", dict(new_decoder_architecture=True, num_kv_heads=2, bias=False, alibi=False, tie_word_embeddings=True),
       drop=("rope_parameters",))
causal("falcon7", "Falcon", dict(multi_query=True, parallel_attn=True, bias=False, alibi=False, new_decoder_architecture=False,
                                 tie_word_embeddings=True), drop=("rope_parameters", "ffn_hidden_size"))
causal("falcon11", "Falcon", dict(new_decoder_architecture=True, num_kv_heads=2, bias=False, alibi=False, num_ln_in_parallel_attn=1))
causal("starcoder2", "Starcoder2", dict(sliding_window=None, use_bias=True))
causal("starcoder2_window", "Starcoder2", dict(sliding_window=5, use_bias=False, tie_word_embeddings=True), drop=NEW_ROPE,
       add=dict(rope_theta=1e5))
causal("gptneox", "GPTNeoX", dict(HEADS, rotary_pct=0.25, use_parallel_residual=True))
causal("gptneox_pythia", "GPTNeoX", dict(HEADS, use_parallel_residual=False, hidden_act="gelu_fast"), drop=NEW_ROPE,
       add=dict(rotary_pct=0.5, rotary_emb_base=500))
causal("stablelm", "StableLm", dict(HEADS, partial_rotary_factor=0.25, use_qkv_bias=True), drop=NEW_ROPE,
       add=dict(rope_theta=10000, partial_rotary_factor=0.25))
causal("stablelm_12b", "StableLm", dict(partial_rotary_factor=0.5, qk_layernorm=True, use_parallel_residual=True))
causal("stablelm_norms", "StableLm", dict(partial_rotary_factor=0.5, qk_layernorm=True, use_parallel_residual=False))
causal("cohere", "Cohere", dict(logit_scale=0.25, tie_word_embeddings=True), drop=NEW_ROPE,
       add=dict(rope_theta=75e3, model_max_length=256))
causal("cohere_plus", "Cohere", dict(logit_scale=0.25, use_qk_norm=True, attention_bias=True, tie_word_embeddings=True))
causal("cohere2", "Cohere2", dict(logit_scale=0.25, num_hidden_layers=4, sliding_window=5, tie_word_embeddings=True))
causal("cohere2_7b", "Cohere2", dict(logit_scale=0.25, num_hidden_layers=4, sliding_window=5, tie_word_embeddings=True),
       drop=NEW_ROPE, add=dict(rope_theta=5e4, sliding_window_pattern=3, rotary_pct=1.0, position_embedding_type="rope_gptj",
                               order_of_interleaved_layers="local_attn_first", layer_switch=3, rope_scaling=None))

# ---- others ----
CASES["gpt2"] = dict(config="GPT2Config", changes={**BASE, **WIDE, "tie_word_embeddings": True}, **{"class": "GPT2LMHeadModel"})
causal("mamba2", "Mamba2", dict(num_heads=4, head_dim=8, expand=2, state_size=8, n_groups=2, chunk_size=16,
                                tie_word_embeddings=True))
causal("gptoss", "GptOss", dict(head_dim=8, num_local_experts=4, sliding_window=5, **MOE))

# ---- encoders ----
ENCODER = dict(num_key_value_heads=4, is_encoder_decoder=False)
case("bert", "Bert", "Model", dict(ENCODER, type_vocab_size=2), is_encoder=True, pooling="cls")
case("bert_masked", "Bert", "ForMaskedLM", dict(ENCODER, type_vocab_size=2, tie_word_embeddings=True), is_encoder=True, pooling="mean")
case("roberta", "Roberta", "Model", dict(ENCODER, type_vocab_size=1, pad_token_id=1, bos_token_id=0, max_position_embeddings=130),
     is_encoder=True, pooling="mean")
case("xlm_roberta", "XLMRoberta", "Model", dict(ENCODER, type_vocab_size=1, pad_token_id=1, bos_token_id=0,
                                                max_position_embeddings=130), is_encoder=True, pooling="cls")
CASES["distilbert"] = dict(
    config="DistilBertConfig", is_encoder=True, pooling="mean",
    changes=dict(vocab_size=32, dim=16, hidden_dim=24, n_layers=2, n_heads=4, max_position_embeddings=128, pad_token_id=0),
    **{"class": "DistilBertModel"})
case("bert_scores", "Bert", "ForSequenceClassification", dict(ENCODER, type_vocab_size=2, num_labels=3), is_classifier=True)
case("bert_pair", "Bert", "ForSequenceClassification", dict(ENCODER, type_vocab_size=2, num_labels=1), is_classifier=True, n_first=7)
case("xlm_roberta_scores", "XLMRoberta", "ForSequenceClassification",
     dict(ENCODER, type_vocab_size=1, pad_token_id=1, bos_token_id=0, max_position_embeddings=130, num_labels=1),
     is_classifier=True)
NOMIC = dict(ENCODER, type_vocab_size=2, hidden_act="silu", tie_word_embeddings=True)
case("nomic_bert", "NomicBert", "Model", NOMIC, is_encoder=True, pooling="mean")
# config.json as Nomic Embed's own code wants it, which the library does not read
case("nomic_bert_v1", "NomicBert", "Model", NOMIC, is_encoder=True, pooling="mean", is_not_read_back=True,
     drop=("hidden_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads", "intermediate_size", "hidden_act",
           "layer_norm_eps", "max_position_embeddings", "rope_parameters", "head_dim"),
     add=dict(n_embd=16, n_layer=2, n_head=4, n_inner=24, n_positions=128, activation_function="swiglu", layer_norm_epsilon=1e-12,
              rotary_emb_base=1000, rotary_emb_fraction=1.0, rotary_emb_interleaved=False, rotary_emb_scale_base=None,
              rotary_scaling_factor=None, qkv_proj_bias=False, mlp_fc1_bias=False, mlp_fc2_bias=False, prenorm=False,
              use_rms_norm=False, parallel_block=False, causal=False, max_trained_positions=2048, scale_attn_weights=True))

# Too large to keep: heads of 256.
UNCOMMITTED = ("gemma3_defaults",)
