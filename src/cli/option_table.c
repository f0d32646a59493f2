/* The table. Spellings of vLLM and llama.cpp are accepted beside ours. */
#include "cli/option_table.h"

#include <stdint.h>

#define FIELD(name) offsetof(gol_settings, name)
#define SWITCH(names, commands, field, help)                                                       \
    {                                                                                              \
        names, GOL_OPTION_SWITCH, commands, FIELD(field), 0, 0, NULL, NULL, NULL, help             \
    }
#define SWITCH_ON(names, commands, field, help)                                                    \
    {                                                                                              \
        names, GOL_OPTION_SWITCH, commands, FIELD(field), 0, 0, "on", NULL, NULL, help             \
    }
#define INT(names, commands, field, lo, hi, def, help)                                             \
    {                                                                                              \
        names, GOL_OPTION_INT, commands, FIELD(field), lo, hi, def, NULL, "N", help                \
    }
#define SIZE(names, commands, field, def, help)                                                    \
    {                                                                                              \
        names, GOL_OPTION_SIZE, commands, FIELD(field), 0, 9e18, def, NULL, "SIZE", help           \
    }
#define MEMORY(names, commands, field, def, help)                                                  \
    {                                                                                              \
        names, GOL_OPTION_MEMORY, commands, FIELD(field), 0, 9e18, def, NULL, "SIZE|P%", help      \
    }
#define REAL(names, commands, field, lo, hi, def, help)                                            \
    {                                                                                              \
        names, GOL_OPTION_REAL, commands, FIELD(field), lo, hi, def, NULL, "X", help               \
    }
#define TEXT(names, commands, field, def, arg, help)                                               \
    {                                                                                              \
        names, GOL_OPTION_TEXT, commands, FIELD(field), 0, 0, def, NULL, arg, help                 \
    }
#define CHOICE(names, commands, field, def, choices, help)                                         \
    {                                                                                              \
        names, GOL_OPTION_CHOICE, commands, FIELD(field), 0, 0, def, choices, choices, help        \
    }

/* clang-format off */
const gol_option gol_option_table[] = {
    TEXT("--model -m", GOL_CMD_ALL, model, NULL, "MODEL", "GGUF file, Hugging Face folder, or name of a model in the caches of Hugging Face and Ollama; without it, the first one in ./models, or else the small one that comes with gollum, for demonstration"),

    INT("--threads -t", GOL_CMD_ENGINE | GOL_CMD_LOGITS | GOL_CMD_VERIFY | GOL_CMD_INFO | GOL_CMD_WRITE, threads, 0, 512, "0", "worker threads; 0: all processors we may use"),
    INT("--ctx-size -c --max-model-len", GOL_CMD_ENGINE, ctx_size, 0, 1 << 27, "0", "tokens of one request, prompt and answer; 0: the model's own, or what fits"),
    INT("--max-num-seqs -np --parallel", GOL_CMD_SERVE | GOL_CMD_PLAN, max_num_seqs, 0, 4096, "0", "requests that run at once; 0: 64, or as many as a step has tokens"),
    INT("--max-num-batched-tokens -b --batch-size", GOL_CMD_ENGINE, max_num_batched_tokens, 0, 1 << 16, "0", "tokens computed per step; 0: 512, or as many as run at once"),
    INT("--max-num-queued-reqs", GOL_CMD_SERVE | GOL_CMD_PLAN, max_num_queued_reqs, 1, 1 << 20, "256", "requests that wait; more get 429"),
    INT("--max-num-queued-tokens", GOL_CMD_SERVE, max_num_queued_tokens, 0, 1 << 30, "0", "tokens of the prompts that wait; more get 429; 0: as memory allows"),
    INT("--max-itl-ms", GOL_CMD_SERVE, max_itl_ms, -1, 60000, "200", "streams get their next token within so many milliseconds while prompts are computed; -1: prompts first"),
    CHOICE("--scheduling-policy", GOL_CMD_SERVE, scheduling_policy, "fcfs", "fcfs|priority", "who comes first: in order of arrival, or by the request's `priority`, lower ones first"),
    INT("--block-size", GOL_CMD_SERVE | GOL_CMD_PLAN, block_size, 1, 1024, "16", "tokens per block of the KV cache"),
    MEMORY("--memory --gpu-memory-utilization", GOL_CMD_ENGINE, memory, "0", "what the whole process may take (12G), or a share of what is available at start (75%, 0.75); 0: what is available less a margin, the KV cache half of what the rest leaves"),
    SIZE("--kv-cache-memory --kv-cache-memory-bytes", GOL_CMD_ENGINE, kv_cache_memory, "0", "memory of the KV cache (512M, 4G); 0: as needed, as far as --memory goes"),
    SWITCH_ON("--prefix-caching --enable-prefix-caching --cache-prompt", GOL_CMD_SERVE | GOL_CMD_PLAN, prefix_caching, "find the beginnings of prompts in the KV cache; --no-prefix-caching computes them all"),
    SIZE("--exact-cache-memory", GOL_CMD_SERVE | GOL_CMD_PLAN, exact_cache_memory, "64M", "memory for the logits behind whole prompts, whose repeats then cost nothing; 0: none"),
    INT("--max-state-snapshots", GOL_CMD_SERVE | GOL_CMD_PLAN, max_state_snapshots, 0, 1 << 20, "0", "models with recurrent layers: states that are kept for prompts that begin alike; 0: one for each request, as memory allows"),
    CHOICE("--kv-cache-dtype --cache-type-k -ctk", GOL_CMD_ENGINE | GOL_CMD_LOGITS | GOL_CMD_BENCH, kv_cache_dtype, NULL, "auto|f16|bf16|f32|q8_0|float16|fp16|half|bfloat16|float32|fp32|float", "numbers of the KV cache; auto: f16, but f32 for logits"),

    TEXT("--host", GOL_CMD_SERVE, host, "127.0.0.1", "ADDRESS", "address to listen on; 0.0.0.0 for every IPv4 one"),
    INT("--port", GOL_CMD_SERVE, port, 0, 65535, "8000", "port to listen on; 0: any free one"),
    TEXT("--served-model-name --alias -a", GOL_CMD_SERVE, served_model_name, NULL, "NAME", "the model's name for clients; without it, its file's name"),
    TEXT("--api-key", GOL_CMD_SERVE, api_key, NULL, "KEY", "clients must send this bearer token (seen in the process list: prefer the next)"),
    TEXT("--api-key-file", GOL_CMD_SERVE, api_key_file, NULL, "FILE", "file whose first line is that token"),
    TEXT("--cors-origin", GOL_CMD_SERVE, cors_origin, NULL, "ORIGIN", "web pages of this origin may call us; * for all"),
    CHOICE("--generation-config", GOL_CMD_GENERATE | GOL_CMD_SERVE, generation_config, "auto", "auto|none|vllm", "sampling where nobody says; auto: as the model's authors do, if its file tells; none, vllm: the defaults here (serve: temperature 1, no filters)"),
    SWITCH("--strict", GOL_CMD_SERVE, strict, "refuse requests with fields that nobody knows, instead of naming these in a header"),
    SWITCH("--trust-request-chat-template", GOL_CMD_SERVE, trust_request_chat_template, "render the chat_template that a request brings; without it, such requests are refused"),
    SIZE("--max-body", GOL_CMD_SERVE, max_body, "8M", "largest request body"),
    INT("--max-connections", GOL_CMD_SERVE, max_connections, 1, 100000, "4096", "connections at once"),
    INT("--max-connections-per-ip", GOL_CMD_SERVE, max_connections_per_ip, 1, 100000, "1024", "the same from one address; raise it behind a proxy"),
    INT("--timeout", GOL_CMD_SERVE, timeout, 1, 86400, "60", "seconds of silence after which a connection is closed"),
    INT("--shutdown-timeout", GOL_CMD_SERVE, shutdown_timeout, 0, 86400, "30", "seconds that running requests get at shutdown"),
    INT("--sse-ping-interval", GOL_CMD_SERVE, sse_ping_interval, 1, 3600, "15", "a stream silent for so many seconds gets a comment line"),

    TEXT("--prompt -p", GOL_CMD_RUN, prompt, NULL, "TEXT", "text to continue; - reads it from stdin"),
    TEXT("--tokens", GOL_CMD_RUN | GOL_CMD_LOGITS | GOL_CMD_EMBED, tokens, NULL, "\"1 2 3\"", "the prompt as token ids"),
    SWITCH("--ids", GOL_CMD_RUN, ids, "print token ids instead of text"),
    TEXT("--system-prompt --system -sys", GOL_CMD_GENERATE, system_prompt, NULL, "TEXT", "first message of the conversation (run: with --chat)"),
    TEXT("--chat-template --chat-template-file", GOL_CMD_GENERATE | GOL_CMD_SERVE | GOL_CMD_TEMPLATE, chat_template, NULL, "FILE|NAME", "in place of the model's own: a file, a variant of the model's (tool_use), or plain, chatml, llama3, gemma, phi3, zephyr, mistral, mistral-v3, mistral-v3-tekken, mistral-v7-tekken"),
    SWITCH("--chat", GOL_CMD_RUN, chat, "the prompt is a user's message, written in the model's chat format"),
    INT("--n-predict -n --max-tokens", GOL_CMD_GENERATE, n_predict, 0, 1 << 27, "512", "most tokens of an answer; 0: to the end of the context"),
    REAL("--temperature --temp", GOL_CMD_GENERATE, temperature, 0, 100, "0.8", "0: always the most likely token"),
    INT("--top-k", GOL_CMD_GENERATE, top_k, 0, 1 << 24, "0", "draw from the K most likely tokens; 0: off"),
    REAL("--top-p", GOL_CMD_GENERATE, top_p, 1e-6, 1, "0.95", "draw from the fewest tokens that are this likely together"),
    REAL("--min-p", GOL_CMD_GENERATE, min_p, 0, 1, "0", "drop tokens less likely than this share of the most likely one"),
    REAL("--repetition-penalty --repeat-penalty", GOL_CMD_GENERATE, repetition_penalty, 0.01, 100, "1", "against tokens that occurred; 1: off"),
    REAL("--presence-penalty", GOL_CMD_GENERATE, presence_penalty, -2, 2, "0", "against tokens in the answer so far"),
    REAL("--frequency-penalty", GOL_CMD_GENERATE, frequency_penalty, -2, 2, "0", "the same, per occurrence"),
    INT("--repeat-last-n", GOL_CMD_GENERATE, repeat_last_n, -1, 1 << 27, "-1", "tokens that --repetition-penalty looks back on; -1: all, 0: none"),
    REAL("--typical-p --typical", GOL_CMD_GENERATE, typical_p, 1e-6, 1, "1", "draw from the tokens nearest to the expected surprise; 1: off"),
    REAL("--top-n-sigma --top-nsigma", GOL_CMD_GENERATE, top_n_sigma, -1, 1e6, "0", "drop logits so many standard deviations below the greatest; 0, -1: off"),
    REAL("--xtc-probability", GOL_CMD_GENERATE, xtc_probability, 0, 1, "0", "how often to exclude the top choices; 0: never"),
    REAL("--xtc-threshold", GOL_CMD_GENERATE, xtc_threshold, 0, 1, "0.1", "which are all tokens at least this likely but the least likely of them"),
    REAL("--dynatemp-range", GOL_CMD_GENERATE, dynatemp_range, 0, 100, "0", "let the temperature rise and fall so much with the entropy"),
    REAL("--dynatemp-exp", GOL_CMD_GENERATE, dynatemp_exponent, 0, 100, "1", "exponent of that"),
    INT("--mirostat", GOL_CMD_GENERATE, mirostat, 0, 2, "0", "version of mirostat in place of the other filters; 0: off"),
    REAL("--mirostat-ent --mirostat-tau", GOL_CMD_GENERATE, mirostat_tau, 0, 1000, "5", "its aim: bits of surprise per token"),
    REAL("--mirostat-lr --mirostat-eta", GOL_CMD_GENERATE, mirostat_eta, 0, 100, "0.1", "how fast it learns"),
    REAL("--dry-multiplier", GOL_CMD_GENERATE, dry_multiplier, 0, 100, "0", "against continuing repetitions (DRY); 0: off"),
    REAL("--dry-base", GOL_CMD_GENERATE, dry_base, 1, 100, "1.75", "how its penalty grows with their length"),
    INT("--dry-allowed-length", GOL_CMD_GENERATE, dry_allowed_length, 0, 1 << 27, "2", "repeated tokens from which on it applies"),
    INT("--dry-penalty-last-n", GOL_CMD_GENERATE, dry_penalty_last_n, -1, 1 << 27, "-1", "tokens it looks back on; -1: all, 0: off"),
    SWITCH("--temperature-last", GOL_CMD_GENERATE, temperature_last, "apply the filters before the temperature, in the order of llama.cpp"),
    TEXT("--logit-bias -l", GOL_CMD_RUN, logit_bias, NULL, "ID+X,...", "add to logits: 15043+1,29871-2.5; from -100 to 100"),
    INT("--seed -s", GOL_CMD_GENERATE, seed, -1, 9007199254740992.0, "-1", "same seed, same answer; -1: a new one each time"),
    SWITCH("--ignore-eos", GOL_CMD_RUN, ignore_eos, "go on when the model ends its answer"),

    SWITCH("--special --parse-special", GOL_CMD_TOKENIZE | GOL_CMD_RUN | GOL_CMD_EMBED | GOL_CMD_RERANK, special, "control tokens written in the text become their ids"),
    SWITCH("--add-special", GOL_CMD_TOKENIZE, add_special, "add the tokens that the model begins and ends texts with"),
    SWITCH("--skip-special", GOL_CMD_DETOKENIZE, skip_special, "leave control tokens out"),
    SWITCH("--json", GOL_CMD_INSPECT | GOL_CMD_PLAN | GOL_CMD_VERIFY | GOL_CMD_INFO | GOL_CMD_BENCH, json, "print JSON"),
    SWITCH("--tensors", GOL_CMD_INSPECT, tensors, "list the tensors"),
    TEXT("--output -o", GOL_CMD_LOGITS, output, NULL, "FILE", "where to write (-: stdout): float32, little-endian, [n_tokens][n_vocab]"),

    CHOICE("--pooling", GOL_CMD_EMBED, pooling, "model", "model|mean|cls|last|rank", "how tokens become one vector; model: as its file says; rank: the scores of its classifier"),
    SWITCH("--normalize", GOL_CMD_EMBED | GOL_CMD_RERANK, normalize, "vectors of length 1; scores as probabilities"),
    CHOICE("--format", GOL_CMD_EMBED, embed_format, "json", "json|csv|tsv", "a vector is a line: an array, or numbers between commas or tabs"),
    TEXT("--query", GOL_CMD_RERANK, query, NULL, "TEXT", "what the documents may answer; without it a line is a query, a tab and a document"),
    INT("--top-n", GOL_CMD_RERANK, top_n, 0, 1 << 30, "0", "print the best N documents; 0: all"),
    CHOICE("--format", GOL_CMD_RERANK, rerank_format, "json", "json|tsv", "a document is a line: an object, or score, index and text between tabs"),
    TEXT("--file", GOL_CMD_TEMPLATE, template_file, NULL, "T.jinja", "the template, instead of a model's"),

    TEXT("--output -o", GOL_CMD_WRITE, output, NULL, "FILE", "the new file; appears when it is whole"),
    TEXT("--type", GOL_CMD_QUANTIZE, type, NULL, "TYPE", "Q8_0, Q6_K, Q5_K_M, Q4_K_M, ...: what most matrices become; a wrong one lists all"),
    TEXT("--type", GOL_CMD_CONVERT, type, NULL, "TYPE", "F32, F16, BF16, Q8_0 or any that quantize writes; without it, numbers stay as they are"),
    SWITCH("--reranker", GOL_CMD_WRITE, reranker, "the folder is a reranker that does not say so (Qwen3ForCausalLM): write it as one"),
    SWITCH("--allow-requantize", GOL_CMD_WRITE, allow_requantize, "take tensors that are quantized already; the errors of both add up"),
    SWITCH("--stats", GOL_CMD_WRITE, stats, "print each tensor's error: root mean square and largest"),
    SWITCH("--dry-run", GOL_CMD_WRITE, dry_run, "print what each tensor would become and the size, write nothing"),

    TEXT("--n-prompt -p", GOL_CMD_BENCH, n_prompt, "512", "LIST", "prefill: tokens of the prompt (128,512); 0: no such test"),
    TEXT("--n-gen -n", GOL_CMD_BENCH, n_gen, "32", "LIST", "decode: tokens per sequence; 0: no such test"),
    TEXT("--n-batch -b", GOL_CMD_BENCH, n_batch, "1", "LIST", "decode so many sequences together, besides one alone (8,32)"),
    TEXT("--n-depth -d", GOL_CMD_BENCH, n_depth, "0", "LIST", "tokens that each sequence already has in the KV cache (0,4096)"),
    TEXT("--threads -t", GOL_CMD_BENCH, n_threads, "0", "LIST", "worker threads (1,2); 0: all processors we may use"),
    INT("--repetitions -r", GOL_CMD_BENCH, repetitions, 1, 1000, "5", "measurements of each test; the table shows their median"),
    CHOICE("--output -o", GOL_CMD_BENCH, table_format, "table", "table|csv|json", "form of the results"),
    SWITCH("--machine", GOL_CMD_BENCH, machine, "measure how fast memory can be read, too, and what share of that each test reaches"),

    CHOICE("--cpu", GOL_CMD_ALL, cpu, NULL, "c|avx2|evexvnni|avxvnni|avx512|avx512vnni|avx512bf16|neon|dotprod|i8mm", "use no more than this level of the processor"),
    CHOICE("--log-level", GOL_CMD_ALL, log_level, "warn", "error|warn|info|debug", "what to say on stderr; serve: info"),
    CHOICE("--log-format", GOL_CMD_ALL, log_format, "text", "text|json", "form of these lines"),
    SWITCH("--quiet -q", GOL_CMD_ALL, quiet, "no progress, errors only"),
    TEXT("--config", GOL_CMD_ALL, config, NULL, "FILE", "lines of `name = value`, names as these without dashes"),
    SWITCH("--print-config", GOL_CMD_ALL, print_config, "print every value and where it came from, then end"),
    SWITCH("--help -h", GOL_CMD_ALL, help, "this text"),
};
/* clang-format on */

const int gol_n_options = (int)(sizeof gol_option_table / sizeof *gol_option_table);
