/* story MODEL.gguf [PROMPT]: goes on with a text and prints it as it comes. */
#include <gollum.h>

#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: %s MODEL.gguf [PROMPT]\n", argv[0]);
        return 64;
    }
    gollum_error error;
    gollum_options options;
    gollum_options_init(&options);
    options.model_path = argv[1];
    options.max_seqs = 1; /* one request at a time: the KV cache need hold no more */
    gollum *g;
    if (gollum_open(&g, &options, &error) != 0) {
        fprintf(stderr, "story: %s\n", error.message);
        return error.exit_code;
    }

    const char *prompt = argc > 2 ? argv[2] : "Once upon a time";
    gollum_request request;
    gollum_request_init(&request);
    request.prompt = prompt;
    request.prompt_len = strlen(prompt);
    request.max_tokens = 200;
    request.temperature = 0.8f;
    int exit_code = 0;
    if (gollum_submit(g, &request, NULL, &error) == 0) {
        fputs(prompt, stdout);
    } else {
        fprintf(stderr, "story: %s\n", error.message);
        exit_code = error.exit_code;
    }

    gollum_event event;
    gollum_event_init(&event);
    while (gollum_poll(g, &event, -1) == 1) {
        fwrite(event.text, 1, event.text_len, stdout);
        fflush(stdout);
        if (event.finish == GOLLUM_FINISH_ERROR) {
            fprintf(stderr, "\nstory: the model's output is not finite\n");
            exit_code = 70;
        }
    }
    putchar('\n');
    gollum_close(&g);
    return exit_code;
}
