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
 *         uint64_t id;
 *         int rc = gollum_submit(g, &request, &id, &error);
 *         gollum_event event;
 *         while (rc == 0 && gollum_poll(g, &event, -1) == 1) {
 *             fwrite(event.text, 1, event.text_len, stdout);
 *             if (event.finish != GOLLUM_FINISH_NONE)
 *                 break;
 *         }
 *         gollum_close(&g);
 *         return 0;
 *     }
 *
 * Any number of requests may run at once; they share every step of the model (continuous batching), and each gets the same tokens
 * as it would alone. All functions may be called from any thread, except that gollum_close() must be the last call.
 *
 * Functions return 0 or a negative GOLLUM_E… code and fill *error (which may be NULL) with a message that says what was wrong, what
 * was found and what is accepted. The library never exits and never prints.
 *
 * ABI: structs begin with struct_size, which the _init functions set; later versions only append fields.
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
    GOLLUM_EMODEL = -4, /* malformed model file */
    GOLLUM_EUNSUPPORTED =
        -5, /* well-formed, but an architecture, tensor type or tokenizer that this version lacks */
    GOLLUM_ENOTFOUND = -6,
    GOLLUM_ELISTEN = -7,
    GOLLUM_ENOMEM = -8,
    GOLLUM_EIO = -9,
    GOLLUM_ECONFIG = -10,
    GOLLUM_ETOOLARGE = -11,
    GOLLUM_ECONTEXT = -12, /* prompt longer than the context */
    GOLLUM_EBUSY = -13,    /* queue full: try again later */
    GOLLUM_EABORTED = -14,
    GOLLUM_ECLOSED = -15,
};

typedef struct gollum_error {
    int code;      /* GOLLUM_E… */
    int exit_code; /* what a program that gives up should return (sysexits.h) */
    char message[512];
} gollum_error;

GOLLUM_API const char *gollum_version(void); /* "0.1.0" */

/* ---- opening a model ---- */

typedef enum gollum_kv_type {
    GOLLUM_KV_F16, /* default: half the memory */
    GOLLUM_KV_F32,
} gollum_kv_type;

/* level: "error" "warn" "info" "debug"; called from any thread, one line without newline. */
typedef void gollum_log_fn(void *user, const char *level, const char *message);
/* Bytes of weights bound so far, and in all; from the thread that opens. */
typedef void gollum_progress_fn(void *user, uint64_t n_done, uint64_t n_total);

typedef struct gollum_options {
    size_t struct_size;
    const char *model_path; /* a .gguf file; of a split model any part */
    int32_t n_threads;      /* 0: all processors this process may use */
    int32_t
        max_context;  /* prompt + answer of one request; 0: the model's own, lowered to what fits */
    int32_t max_seqs; /* requests running at once; 0: 64 */
    int32_t max_batch_tokens; /* tokens computed per step; 0: 512 */
    int32_t max_queued;       /* requests waiting; 0: 256 */
    uint64_t
        kv_bytes; /* memory for the KV cache; 0: as needed, at most a quarter of what is available */
    gollum_kv_type kv_type;
    gollum_log_fn *log; /* NULL: silent. Process-wide: the first open that sets it wins */
    void *log_user;
    gollum_progress_fn *progress; /* NULL: none */
    void *progress_user;
} gollum_options;

GOLLUM_API void gollum_options_init(gollum_options *options);
GOLLUM_API int gollum_open(gollum **out, const gollum_options *options, gollum_error *error);

/* Aborts what runs, waits for it, frees everything and sets *g to NULL. NULL is fine. */
GOLLUM_API void gollum_close(gollum **g);

/* ---- text and tokens ---- */

GOLLUM_API int32_t gollum_n_vocab(const gollum *g);
GOLLUM_API int32_t gollum_max_context(const gollum *g);

/* Writes at most max ids; *n is the number there are in all (call again with room if it is more than max).
 * add_special: BOS/EOS as the model wants. parse_special: control tokens written in the text become their ids. */
GOLLUM_API int gollum_tokenize(const gollum *g, const char *text, size_t text_len, int add_special,
                               int parse_special, int32_t *ids, size_t max, size_t *n,
                               gollum_error *error);

/* The text of ids, valid UTF-8, into buf, NUL-terminated when it fits; *len is its length in all. */
GOLLUM_API int gollum_detokenize(const gollum *g, const int32_t *ids, size_t n, char *buf,
                                 size_t size, size_t *len, gollum_error *error);

/* ---- requests ---- */

typedef enum gollum_finish {
    GOLLUM_FINISH_NONE,   /* goes on */
    GOLLUM_FINISH_STOP,   /* the model ended its answer, or a stop id or stop string was met */
    GOLLUM_FINISH_LENGTH, /* max_tokens, or the end of the context */
    GOLLUM_FINISH_ABORT,  /* gollum_abort() or gollum_close() */
    GOLLUM_FINISH_ERROR,  /* the model's output was not finite */
} gollum_finish;

typedef struct gollum_event {
    size_t struct_size;
    uint64_t id;      /* of the request */
    int32_t token;    /* -1: this event brings none */
    float logprob;    /* of token under the model's own distribution */
    const char *text; /* whole UTF-8 characters, may be empty; not NUL-terminated */
    size_t text_len;
    gollum_finish finish; /* other than NONE: the request's last event */
    int32_t n_prompt;     /* tokens of the prompt */
    int32_t n_generated;  /* tokens so far */
    void *user;           /* the request's */
} gollum_event;

/* From the engine's thread: must return quickly and must not call gollum_poll() or gollum_close(). */
typedef void gollum_event_fn(const gollum_event *event);

typedef struct gollum_request {
    size_t struct_size;
    const char *prompt; /* text, or … */
    size_t prompt_len;
    const int32_t *prompt_ids; /* … token ids, which win when n_prompt_ids > 0 */
    size_t n_prompt_ids;
    int32_t max_tokens;       /* 0: to the end of the context */
    int32_t ignore_eos;       /* 1: the model's end tokens are ordinary */
    int32_t parse_special;    /* 1: control tokens written in the prompt become their ids */
    float temperature;        /* 1; 0: always the most likely token */
    float top_p;              /* 1: off */
    float min_p;              /* 0: off */
    int32_t top_k;            /* 0: off */
    float repetition_penalty; /* 1: off */
    float presence_penalty;   /* 0: off */
    float frequency_penalty;  /* 0: off */
    uint64_t seed;
    int32_t has_seed;        /* 0: a random one */
    const char *const *stop; /* n_stop strings that end the answer, themselves not part of it */
    size_t n_stop;
    gollum_event_fn *on_event; /* NULL: events come by gollum_poll() */
    void *user;
} gollum_request;

GOLLUM_API void gollum_request_init(gollum_request *request);

/* Copies what it needs. Exactly one event with finish != NONE will come for each accepted request. */
GOLLUM_API int gollum_submit(gollum *g, const gollum_request *request, uint64_t *id,
                             gollum_error *error);

/* The next event of any request without on_event: 1 and *event (its text valid until the next poll), or 0 after timeout_ms
 * milliseconds (-1: wait for ever) or when no such request is running. */
GOLLUM_API int gollum_poll(gollum *g, gollum_event *event, int timeout_ms);

/* The request ends with ABORT before the next step; unknown and finished ids are ignored. */
GOLLUM_API void gollum_abort(gollum *g, uint64_t id);

#ifdef __cplusplus
}
#endif

#endif
