/*
 * gollum: large language models on your own machine, as a C library. This is the only public header.
 *
 *     #include <gollum.h>
 *     #include <stdio.h>
 *     #include <string.h>
 *
 *     int main(void)
 *     {
 *         gollum_error error;
 *         gollum_options options;
 *         gollum_options_init(&options);
 *         options.model_path = "model.gguf";
 *         gollum *g;
 *         if (gollum_open(&g, &options, &error) != 0) {
 *             fprintf(stderr, "%s\n", error.message);
 *             return error.exit_code;
 *         }
 *         gollum_request request;
 *         gollum_request_init(&request);
 *         request.prompt = "Once upon a time";
 *         request.prompt_len = strlen(request.prompt);
 *         request.max_tokens = 100;
 *         int exit_code = 0;
 *         if (gollum_submit(g, &request, NULL, &error) != 0) {
 *             fprintf(stderr, "%s\n", error.message);
 *             exit_code = error.exit_code;
 *         }
 *         gollum_event event;
 *         gollum_event_init(&event);
 *         while (gollum_poll(g, &event, -1) == 1)
 *             fwrite(event.text, 1, event.text_len, stdout);
 *         gollum_close(&g);
 *         return exit_code;
 *     }
 *
 * Any number of requests may run at once; they share every step of the model (continuous batching), and each gets the same
 * tokens and log-probabilities as it would alone.
 *
 * Threads: every function may be called from any thread at any time, but for two: one thread polls at a time, and
 * gollum_close() is the last call.
 *
 * Errors: functions return 0 or a negative GOLLUM_E… code, and then fill *error (which may be NULL) with a message that says
 * what was wrong, what was found and what is accepted. The library never exits and never prints, with one exception: a model
 * file that is truncated while it is open. Its memory is gone then, and a SIGBUS handler, installed by the first gollum_open(),
 * names the file on stderr and ends the process with status 74. Other causes of SIGBUS go to the handler that was there before.
 *
 * Compatibility: a program may run with a later version of the library than it was built with. The structs gollum_options,
 * gollum_request, gollum_event and gollum_embed_options only ever get new fields at their end; their first one, struct_size, says which fields the
 * program knows. The _init functions set it, and every other field to its default: call them first.
 */
#ifndef GOLLUM_H
#define GOLLUM_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define GOLLUM_API __attribute__((visibility("default")))
#else
#define GOLLUM_API
#endif

typedef struct gollum gollum; /* an open model with its engine */

enum gollum_error_code {
    GOLLUM_EINTERNAL = -1,
    GOLLUM_EUSAGE = -2,
    GOLLUM_EINVAL = -3,
    GOLLUM_EMODEL = -4,       /* malformed model file */
    GOLLUM_EUNSUPPORTED = -5, /* well-formed, but this version lacks what it needs */
    GOLLUM_ENOTFOUND = -6,
    GOLLUM_ELISTEN = -7,
    GOLLUM_ENOMEM = -8,
    GOLLUM_EIO = -9,
    GOLLUM_ECONFIG = -10,
    GOLLUM_ETOOLARGE = -11,
    GOLLUM_ECONTEXT = -12, /* prompt longer than the context */
    GOLLUM_EBUSY = -13,    /* queue full: try again later */
    GOLLUM_EABORTED = -14,
    GOLLUM_ECLOSED = -15
};

typedef struct gollum_error {
    int code;          /* GOLLUM_E… */
    int exit_code;     /* what a program that gives up should return (sysexits.h) */
    char message[512]; /* UTF-8, NUL-terminated */
} gollum_error;

GOLLUM_API const char *gollum_version(void); /* "0.1.0" */

/* ---- opening a model ---- */

typedef enum gollum_kv_type {
    GOLLUM_KV_F16, /* half the memory of F32 */
    GOLLUM_KV_F32,
    GOLLUM_KV_BF16,
    GOLLUM_KV_Q8_0 /* about a quarter; needs heads of a multiple of 32 numbers */
} gollum_kv_type;

/* level: "error" "warn" "info" "debug". One line without newline; from any thread, also several at once. */
typedef void gollum_log_fn(void *user, const char *level, const char *message);
/* Bytes of weights loaded so far, and in all; from the thread that opens. */
typedef void gollum_progress_fn(void *user, uint64_t n_done, uint64_t n_total);

typedef struct gollum_options {
    size_t struct_size;
    const char *model_path;   /* a .gguf file; of a split model any part */
    int32_t n_threads;        /* 0: all processors that this process may use */
    int32_t max_model_len;    /* tokens of a prompt and its answer; 0: the model's, or what fits */
    int32_t max_seqs;         /* requests running at once; 0: 64 */
    int32_t max_batch_tokens; /* tokens computed per step; 0: 512 */
    int32_t max_queued_reqs;  /* requests waiting; 0: 256 */
    uint64_t kv_bytes;        /* of the KV cache; 0: as needed, as far as `memory` goes */
    gollum_kv_type kv_type;   /* default: F16 */
    gollum_log_fn *log;       /* NULL: silent. One per process: the first that is set stays */
    void *log_user;
    gollum_progress_fn *progress; /* NULL: none */
    void *progress_user;
    /* Bytes that the whole process may take: weights, KV cache, scratch, requests; all of it is planned before loading, and refused
     * with GOLLUM_ENOMEM and the numbers when it cannot fit. 0: what is available, less a margin, and of what the rest
     * leaves half for the KV cache. */
    uint64_t memory;
    /* 1: the model is a reranker, even if it does not say so: a folder of Qwen3ForCausalLM, whose scores then are those of "yes"
     * against "no". Other models are what they are. */
    int32_t is_reranker;
} gollum_options;

/* Copies what it needs. On failure *out is NULL. Errors: GOLLUM_EINVAL (an option), GOLLUM_ENOTFOUND and GOLLUM_EIO (the file),
 * GOLLUM_EMODEL and GOLLUM_EUNSUPPORTED (what is in it), GOLLUM_ENOMEM. */
GOLLUM_API int gollum_open(gollum **out, const gollum_options *options, gollum_error *error);

/* Aborts what runs, calls its callbacks with the end, frees everything and sets *g to NULL. NULL and a NULL *g are fine. Not
 * from a callback. */
GOLLUM_API void gollum_close(gollum **g);

/* ---- text and tokens ---- */

GOLLUM_API int32_t gollum_n_vocab(const gollum *g);       /* token ids are 0 to n_vocab - 1 */
GOLLUM_API int32_t gollum_max_model_len(const gollum *g); /* what the option became */

/* Writes at most max ids; *n is the number there are in all (call again with room if it is more than max).
 * add_special: BOS/EOS as the model wants. parse_special: control tokens written in the text become their ids. */
GOLLUM_API int gollum_tokenize(const gollum *g, const char *text, size_t text_len, int add_special,
                               int parse_special, int32_t *ids, size_t max, size_t *n,
                               gollum_error *error);

/* Writes the text of ids, valid UTF-8: the whole characters that fit into size bytes with a NUL behind them (size 0: nothing).
 * *len is the text's length in all, without the NUL. */
GOLLUM_API int gollum_detokenize(const gollum *g, const int32_t *ids, size_t n, char *buf,
                                 size_t size, size_t *len, gollum_error *error);

/* ---- requests ---- */

typedef enum gollum_finish {
    GOLLUM_FINISH_NONE,   /* goes on */
    GOLLUM_FINISH_STOP,   /* the model ended its answer, or a stop string was met */
    GOLLUM_FINISH_LENGTH, /* max_tokens, or the end of the context */
    GOLLUM_FINISH_ABORT,  /* gollum_abort() or gollum_close() */
    GOLLUM_FINISH_ERROR   /* the model's output was not finite */
} gollum_finish;

/* What the model says about a token of the prompt at its place. */
typedef struct gollum_prompt_score {
    float logprob; /* natural logarithm of its probability, before temperature and penalties */
    int32_t rank;  /* among all tokens at this place; 1: the most likely */
} gollum_prompt_score;

typedef struct gollum_top_logprob {
    int32_t token;
    float logprob;
} gollum_top_logprob;

/* One token of one answer, or its end. Text that may be the beginning of a stop string, and bytes of a character whose rest is
 * still to come, are held back for a later event: the texts of a request's events, one after the other, are its answer. */
typedef struct gollum_event {
    size_t struct_size;
    uint64_t id;   /* of the request */
    int32_t token; /* -1: this event brings none */
    float logprob; /* natural logarithm of token's probability, before temperature and penalties */
    const char *text;     /* whole UTF-8 characters, perhaps none; not NUL-terminated */
    size_t text_len;      /* bytes */
    gollum_finish finish; /* other than NONE: the request's last event */
    int32_t n_prompt;     /* tokens of the prompt */
    int32_t n_generated;  /* tokens so far */
    void *user;           /* the request's */

    /* With score_prompt, as long-lived as the text. Entry i is about token i of the prompt; entry 0 has rank 0 and says nothing, for
     * nothing stands before that token. */
    const gollum_prompt_score *prompt_scores; /* [n_prompt_scores] */
    const gollum_top_logprob *prompt_top; /* [n_prompt_scores][n_prompt_top] most likely first */
    int32_t n_prompt_scores; /* n_prompt; fewer in an end that came before the first token */
    int32_t n_prompt_top;
    int32_t n_cached; /* tokens of the prompt that were found in the prefix cache */
} gollum_event;

/* From the engine's thread: everybody's next token waits until it returns. May call every function but gollum_poll() and
 * gollum_close(); the event and its text are gone when it returns. */
typedef void gollum_event_fn(const gollum_event *event);

enum {
    GOLLUM_STOPS_MAX = 16,      /* stop strings of a request */
    GOLLUM_STOP_LEN_MAX = 256,  /* bytes of each */
    GOLLUM_BAD_WORDS_MAX = 512, /* and of sequence breakers */
    GOLLUM_CACHE_SALT_MAX = 1024,
    GOLLUM_TOP_MAX = 20,
};

typedef struct gollum_logit_bias {
    int32_t token;
    float bias; /* -100 to 100; or -INFINITY: never drawn */
} gollum_logit_bias;

typedef struct gollum_request {
    size_t struct_size;
    const char *prompt; /* text, any bytes; BOS is added as the model wants. Or … */
    size_t prompt_len;
    const int32_t *prompt_ids; /* … tokens, as they are, which win when n_prompt_ids > 0 */
    size_t n_prompt_ids;
    int32_t max_tokens;        /* 0: to the end of the context, which is the limit anyway */
    int32_t ignore_eos;        /* 1: the model's end tokens are ordinary */
    int32_t parse_special;     /* 1: control tokens written in the prompt become their ids */
    float temperature;         /* 0: always the most likely token. Default 1 */
    float top_p;               /* default 1: off */
    float min_p;               /* default 0: off */
    int32_t top_k;             /* default 0: off */
    float repetition_penalty;  /* default 1: off */
    float presence_penalty;    /* default 0: off */
    float frequency_penalty;   /* default 0: off */
    uint64_t seed;             /* same seed, same answer; when has_seed is 1 */
    int32_t has_seed;          /* 0: a random one */
    const char *const *stop;   /* [n_stop] UTF-8; the answer ends before the first that it has */
    size_t n_stop;             /* at most GOLLUM_STOPS_MAX */
    gollum_event_fn *on_event; /* NULL: events come by gollum_poll() */
    void *user;                /* comes back in every event */

    int32_t repeat_last_n;   /* tokens that repetition_penalty looks at. Default -1: all; 0: none */
    float top_n_sigma;       /* default 0: off */
    float typical_p;         /* default 1: off */
    float xtc_probability;   /* default 0: off */
    float xtc_threshold;     /* default 0.1 */
    float dynatemp_range;    /* default 0: off */
    float dynatemp_exponent; /* default 1 */
    int32_t mirostat;        /* 1 or 2, in place of all filters. Default 0: off */
    float mirostat_tau;      /* default 5 */
    float mirostat_eta;      /* default 0.1 */
    float dry_multiplier;    /* default 0: off */
    float dry_base;          /* default 1.75 */
    int32_t dry_allowed_length; /* default 2 */
    int32_t dry_penalty_last_n; /* default -1: all; 0: off */
    const char *const
        *dry_breakers; /* [n_dry_breakers]; NULL: newline, colon, quotation mark, asterisk */
    size_t n_dry_breakers;
    int32_t temperature_last;            /* 1: filters first, in llama.cpp's order */
    const gollum_logit_bias *logit_bias; /* [n_logit_bias] */
    size_t n_logit_bias;                 /* at most 4096 */
    const int32_t
        *allowed_ids; /* [n_allowed_ids] no other tokens are drawn; n_allowed_ids 0: all are */
    size_t n_allowed_ids;
    const char *const *bad_words; /* [n_bad_words] UTF-8; none of them is completed */
    size_t n_bad_words;           /* at most GOLLUM_BAD_WORDS_MAX */

    /* [n_cache_salt] bytes; prompts are found in the prefix cache only by requests of the same salt, so that one for each tenant keeps
     * them from learning of each other's prompts by their speed. n_cache_salt 0: none. */
    const void *cache_salt;
    size_t n_cache_salt;  /* at most GOLLUM_CACHE_SALT_MAX */
    int32_t no_cache;     /* 1: neither uses nor leaves anything in the prefix cache */
    int32_t score_prompt; /* 1: events bring what the model says about the prompt's own tokens */
    int32_t n_prompt_top; /* and of each place so many of the most likely; 0 to GOLLUM_TOP_MAX */
} gollum_request;

/* Copies what it needs. Each accepted request gets events until exactly one with finish != NONE. A callback may be called
 * before gollum_submit() returns. id may be NULL; it is never 0, except 0 on failure.
 * Errors: GOLLUM_EINVAL (which field), GOLLUM_ECONTEXT (the prompt is too long), GOLLUM_ETOOLARGE (its text is), GOLLUM_EBUSY
 * (max_queued_reqs are waiting), GOLLUM_ENOMEM. On failure no event will come. */
GOLLUM_API int gollum_submit(gollum *g, const gollum_request *request, uint64_t *id,
                             gollum_error *error);

/* The next event of any request without on_event: 1 and *event, whose text is valid until the next poll. 0 when timeout_ms
 * milliseconds are over (negative: wait for ever), or at once when no such request has an event to come.
 * Errors: GOLLUM_EINVAL (g or event is NULL, or event was not initialised), GOLLUM_EBUSY (another thread is polling). */
GOLLUM_API int gollum_poll(gollum *g, gollum_event *event, int timeout_ms);

/* The request ends with ABORT before the model's next step; tokens that it had until then still come. Unknown and finished
 * ids are ignored. */
GOLLUM_API void gollum_abort(gollum *g, uint64_t id);

/* ---- embeddings and scores ---- */

/* How the states of a text's tokens become one vector. */
typedef enum gollum_pooling {
    GOLLUM_POOLING_MODEL, /* as the model's file says; an error if it says nothing */
    GOLLUM_POOLING_MEAN,
    GOLLUM_POOLING_CLS,  /* the first token's */
    GOLLUM_POOLING_LAST, /* the last token's */
    GOLLUM_POOLING_RANK  /* no vector, but the scores that the model's classifier gives for it */
} gollum_pooling;

typedef struct gollum_embed_options {
    size_t struct_size;
    gollum_pooling pooling; /* default: the model's */
    /* 1: vectors of length 1; scores as probabilities, a single one through the logistic function. Default 0: as the model makes
     * them. Order of scores is the same either way. */
    int32_t normalize;
    int32_t parse_special; /* 1: control tokens written in texts become their ids */
} gollum_embed_options;

/* UTF-8, to which the model's special tokens are added; or tokens, as they are, which win when n_ids > 0. */
typedef struct gollum_text {
    const char *text;
    size_t text_len;
    const int32_t *ids;
    size_t n_ids;
} gollum_text;

GOLLUM_API int32_t gollum_n_embd(const gollum *g); /* numbers of a vector */
/* Numbers that gollum_embed() writes for each text: n_embd, or of scores (RANK, and MODEL if that is the model's own) the number of the
 * classifier's classes, in the order of its file's classifier.output_labels. 0: it has no such pooling. */
GOLLUM_API int32_t gollum_embed_width(const gollum *g, gollum_pooling pooling);

/* Writes values[n][width], a vector for each text, and returns when all are there; the texts share the model's steps with each other
 * and with everything else that runs, and each gets the same bits as it would alone. options may be NULL. Not from a callback.
 * Errors: GOLLUM_EINVAL, GOLLUM_EUNSUPPORTED (a model that was not made for it, see pooling), GOLLUM_ECONTEXT (a text is too long, and what
 * is accepted; of several texts messages begin with that one's place in the array, from 0: "texts[2]: ..."), GOLLUM_EBUSY (others fill the queue), GOLLUM_ENOMEM, GOLLUM_EINTERNAL (a vector is not finite). */
GOLLUM_API int gollum_embed(gollum *g, const gollum_embed_options *options,
                            const gollum_text *texts, size_t n, float *values, gollum_error *error);

/* A question and a text that may answer it, UTF-8. */
typedef struct gollum_pair {
    const char *query;
    size_t query_len;
    const char *document;
    size_t document_len;
} gollum_pair;

/* Writes scores[n]: how well each document fits its query, greater is better. Both are put into one text as the model was trained to
 * read them. BERT's kin give a logit, Qwen3-Reranker the probability of its "yes". options may be NULL; its pooling must be MODEL or
 * RANK. Otherwise like gollum_embed(). GOLLUM_EUNSUPPORTED too: the classifier has several classes, none of which is the score. */
GOLLUM_API int gollum_rerank(gollum *g, const gollum_embed_options *options,
                             const gollum_pair *pairs, size_t n, float *scores,
                             gollum_error *error);

/* ---- defaults ---- */

/* Changes temperature, top_k, top_p, min_p and repetition_penalty to what the model's authors use, each where the model's file tells
 * (general.sampling.* of GGUF, generation_config.json of a folder). Returns how many it changed; of a request that was never
 * initialized, none. Call it between gollum_request_init() and the settings that the user wants otherwise. */
GOLLUM_API int gollum_request_use_model_sampling(const gollum *g, gollum_request *request);

/* For bindings from other languages; C and C++ call the inline forms below, which pass the sizes that this header knows. */
GOLLUM_API void gollum_options_init_sized(gollum_options *options, size_t struct_size);
GOLLUM_API void gollum_request_init_sized(gollum_request *request, size_t struct_size);
GOLLUM_API void gollum_event_init_sized(gollum_event *event, size_t struct_size);
GOLLUM_API void gollum_embed_options_init_sized(gollum_embed_options *options, size_t struct_size);

static inline void gollum_options_init(gollum_options *options)
{
    gollum_options_init_sized(options, sizeof *options);
}

static inline void gollum_request_init(gollum_request *request)
{
    gollum_request_init_sized(request, sizeof *request);
}

static inline void gollum_event_init(gollum_event *event)
{
    gollum_event_init_sized(event, sizeof *event);
}

static inline void gollum_embed_options_init(gollum_embed_options *options)
{
    gollum_embed_options_init_sized(options, sizeof *options);
}

#ifdef __cplusplus
}
#endif

#endif
