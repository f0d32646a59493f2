/*
 * many MODEL.gguf PROMPT...: answers all prompts at once, with callbacks. The model computes the next token of every answer in
 * the same step, so ten answers take far less time than ten times one. Each is printed whole, in the order of the prompts.
 */
#include <gollum.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TOKENS_MAX = 60, TEXT_MAX = 4096 };

typedef struct answer {
    char text[TEXT_MAX];
    size_t len;
    double logprob; /* sum over the tokens */
    int n_tokens;
    gollum_finish finish;
} answer;

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t one_ended = PTHREAD_COND_INITIALIZER;
static int n_running; /* guarded by mutex */

/* In the engine's thread, so it only takes notes. Nobody else looks at the answer before n_running says that it is whole. */
static void take_note(const gollum_event *event)
{
    answer *a = event->user;
    const size_t n_room = TEXT_MAX - a->len;
    const size_t n = event->text_len < n_room ? event->text_len : n_room;
    memcpy(a->text + a->len, event->text, n);
    a->len += n;
    a->n_tokens = event->n_generated;
    a->finish = event->finish;
    if (event->token >= 0)
        a->logprob += (double)event->logprob;
    if (event->finish != GOLLUM_FINISH_NONE) {
        pthread_mutex_lock(&mutex);
        n_running--;
        pthread_cond_signal(&one_ended);
        pthread_mutex_unlock(&mutex);
    }
}

static int submit(gollum *g, const char *prompt, answer *a, gollum_error *error)
{
    static const char *const stops[] = {"\n\n"};
    gollum_request request;
    gollum_request_init(&request);
    request.prompt = prompt;
    request.prompt_len = strlen(prompt);
    request.max_tokens = TOKENS_MAX;
    request.temperature = 0.0f; /* the same answer every time, alone or in company */
    request.stop = stops;
    request.n_stop = 1;
    request.on_event = take_note;
    request.user = a;
    pthread_mutex_lock(&mutex);
    n_running++; /* before: the first event may come before gollum_submit() returns */
    pthread_mutex_unlock(&mutex);
    const int rc = gollum_submit(g, &request, NULL, error);
    if (rc != 0) {
        pthread_mutex_lock(&mutex);
        n_running--;
        pthread_mutex_unlock(&mutex);
    }
    return rc;
}

static void wait_for_all(void)
{
    pthread_mutex_lock(&mutex);
    while (n_running > 0)
        pthread_cond_wait(&one_ended, &mutex);
    pthread_mutex_unlock(&mutex);
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: %s MODEL.gguf PROMPT...\n", argv[0]);
        return 64;
    }
    const int n = argc - 2;
    answer *answers = calloc((size_t)n, sizeof *answers);
    if (answers == NULL) {
        fprintf(stderr, "many: out of memory\n");
        return 71;
    }
    gollum_error error;
    gollum_options options;
    gollum_options_init(&options);
    options.model_path = argv[1];
    options.max_queued_reqs = n;
    gollum *g = NULL;
    int rc = gollum_open(&g, &options, &error);
    for (int i = 0; i < n && rc == 0; i++)
        rc = submit(g, argv[i + 2], &answers[i], &error);
    wait_for_all();
    for (int i = 0; i < n && rc == 0; i++) {
        const answer *a = &answers[i];
        printf("%s%.*s\n", argv[i + 2], (int)a->len, a->text);
        if (a->n_tokens > 0)
            printf("[%d tokens, %.2f each]\n\n", a->n_tokens, a->logprob / a->n_tokens);
    }
    if (rc != 0)
        fprintf(stderr, "many: %s\n", error.message);
    gollum_close(&g);
    free(answers);
    return rc == 0 ? 0 : error.exit_code;
}
