/* Models by name: what the caches of Hugging Face and Ollama look like, what is chosen, what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "cli/model_caches.h"
#include "support/temp_dir.h"

enum { PATH_SIZE = 512 };

static temp_dir dir;
static char path[GOL_PATH_MAX];

/* A file below dir, with the folders on its way. */
static void make_file(const char *name, const char *text)
{
    char full[PATH_SIZE];
    snprintf(full, sizeof full, "%s/%s", dir.path, name);
    for (char *slash = strchr(full + strlen(dir.path) + 1, '/'); slash;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        (void)mkdir(full, 0700);
        *slash = '/';
    }
    temp_write_file(full, text, strlen(text));
}

static int make_caches(void **state)
{
    (void)state;
    char root[PATH_SIZE];
    dir = temp_dir_create();
    setenv("HOME", dir.path, 1);
    unsetenv("HF_HOME");
    unsetenv("XDG_CACHE_HOME");
    unsetenv("OLLAMA_MODELS");
    snprintf(root, sizeof root, "%s/hub", dir.path);
    setenv("HF_HUB_CACHE", root, 1);
    return 0;
}

static int remove_caches(void **state)
{
    (void)state;
    char command[PATH_SIZE];
    snprintf(command, sizeof command, "rm -rf '%s'", dir.path);
    return system(command);
}

static void expect_found(const char *name, const char *relative)
{
    gol_err err = {0};
    char want[PATH_SIZE];
    snprintf(want, sizeof want, "%s/%s", dir.path, relative);
    const int rc = gol_find_cached_model(path, name, &err);
    if (rc != 1)
        fail_msg("%s: %d, '%s'", name, rc, err.message);
    assert_string_equal(path, want);
}

static void expect_refused(const char *name, int code, const char *message)
{
    gol_err err = {0};
    const int rc = gol_find_cached_model(path, name, &err);
    if (rc != code || !strstr(err.message, message))
        fail_msg("%s: %d, '%s'; expected '%s'", name, rc, err.message, message);
}

static void a_folder_of_the_hub_is_found_by_name(void **state)
{
    (void)state;
    make_file("hub/models--org--one/refs/main", "abc123\n");
    make_file("hub/models--org--one/snapshots/abc123/config.json", "{}");
    make_file("hub/models--org--one/snapshots/old/config.json", "{}");
    expect_found("org/one", "hub/models--org--one/snapshots/abc123");
}

static void the_only_gguf_file_is_chosen_and_of_several_a_part_of_the_name(void **state)
{
    (void)state;
    make_file("hub/models--org--two/refs/main", "r1");
    make_file("hub/models--org--two/snapshots/r1/config.json", "{}");
    make_file("hub/models--org--two/snapshots/r1/m-Q8_0.gguf", "");
    make_file("hub/models--org--two/snapshots/r1/mmproj-f16.gguf", "");
    expect_found("org/two", "hub/models--org--two/snapshots/r1/m-Q8_0.gguf");
    make_file("hub/models--org--two/snapshots/r1/m-Q4_K_M-00001-of-00002.gguf", "");
    make_file("hub/models--org--two/snapshots/r1/m-Q4_K_M-00002-of-00002.gguf", "");
    expect_refused("org/two", GOL_EUSAGE, "2 GGUF files, name one");
    expect_refused("org/two", GOL_EUSAGE, "m-Q8_0.gguf");
    expect_refused("org/two", GOL_EUSAGE, "m-Q4_K_M-00001-of-00002.gguf");
    expect_found("org/two:q4_k_m",
                 "hub/models--org--two/snapshots/r1/m-Q4_K_M-00001-of-00002.gguf");
    expect_found("org/two:m-Q8_0.gguf", "hub/models--org--two/snapshots/r1/m-Q8_0.gguf");
    expect_refused("org/two:Q2_K", GOL_ENOTFOUND, "no GGUF file with 'Q2_K' in its name");
}

static void what_the_hub_lost_is_said(void **state)
{
    (void)state;
    make_file("hub/models--org--lost/blobs/x", "");
    expect_refused("org/lost", GOL_ENOTFOUND, "refs/main is not");
    make_file("hub/models--org--lost/refs/main", "r1");
    expect_refused("org/lost", GOL_ENOTFOUND, "its files are not");
    make_file("hub/models--org--lost/refs/main", "../../..");
    expect_refused("org/lost", GOL_ENOTFOUND, "refs/main is not");
}

static void other_places_of_the_hub_are_known(void **state)
{
    (void)state;
    char root[PATH_SIZE];
    unsetenv("HF_HUB_CACHE");
    make_file(".cache/huggingface/hub/models--o--a/refs/main", "r");
    make_file(".cache/huggingface/hub/models--o--a/snapshots/r/config.json", "{}");
    expect_found("o/a", ".cache/huggingface/hub/models--o--a/snapshots/r");
    make_file("home/hub/models--o--b/refs/main", "r");
    make_file("home/hub/models--o--b/snapshots/r/config.json", "{}");
    snprintf(root, sizeof root, "%s/home", dir.path);
    setenv("HF_HOME", root, 1);
    expect_found("o/b", "home/hub/models--o--b/snapshots/r");
    assert_int_equal(gol_find_cached_model(path, "o/a", NULL), 0);
    unsetenv("HF_HOME");
}

#define DIGEST "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void ollamas_models_are_found(void **state)
{
    (void)state;
    static const char manifest[] = "{\"schemaVersion\":2,\"layers\":[{\"mediaType\":\"application/"
                                   "vnd.ollama.image.template\",\"digest\":"
                                   "\"sha256:0\"},{\"mediaType\":\"application/"
                                   "vnd.ollama.image.model\",\"digest\":\"sha256:" DIGEST "\"}]}";
    make_file(".ollama/models/manifests/registry.ollama.ai/library/llama3.2/latest", manifest);
    make_file(".ollama/models/manifests/registry.ollama.ai/library/llama3.2/1b", manifest);
    make_file(".ollama/models/manifests/registry.ollama.ai/me/mine/latest", manifest);
    make_file(".ollama/models/manifests/hf.co/org/name/Q4_K_M", manifest);
    static const char blob[] = ".ollama/models/blobs/sha256-" DIGEST;
    expect_found("llama3.2", blob);
    expect_found("llama3.2:1b", blob);
    expect_found("me/mine", blob);
    expect_found("hf.co/org/name:Q4_K_M", blob);
    assert_int_equal(gol_find_cached_model(path, "llama3.2:70b", NULL), 0);
    make_file(".ollama/models/manifests/registry.ollama.ai/library/bad/latest", "{\"layers\":[]}");
    expect_refused("bad", GOL_EMODEL, "no layer is a model");
    make_file(".ollama/models/manifests/registry.ollama.ai/library/bad/latest", "{");
    expect_refused("bad", GOL_EMODEL, "is not valid JSON");
    make_file(".ollama/models/manifests/registry.ollama.ai/library/bad/latest",
              "{\"layers\":[{\"mediaType\":\"application/vnd.ollama.image.model\",\"digest\":"
              "\"sha256:../../../../etc/passwd\"}]}");
    expect_refused("bad", GOL_EMODEL, "digest is none");
}

static void what_is_no_name_is_found_nowhere(void **state)
{
    (void)state;
    make_file("hub/models--org--one/refs/main", "r");
    make_file("hub/models--org--one/snapshots/r/config.json", "{}");
    static const char *const names[] = {
        "",        "/",       "a//b",     "../one",       "org/..",  "/org/one", "org/one/",
        ".hidden", "a/b/c/d", "org/one:", "org/one:../x", "org one", "./org/one"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_int_equal(gol_find_cached_model(path, names[i], NULL), 0);
    char longest[300];
    memset(longest, 'a', sizeof longest);
    longest[299] = '\0';
    assert_int_equal(gol_find_cached_model(path, longest, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_folder_of_the_hub_is_found_by_name, make_caches,
                                        remove_caches),
        cmocka_unit_test_setup_teardown(
            the_only_gguf_file_is_chosen_and_of_several_a_part_of_the_name, make_caches,
            remove_caches),
        cmocka_unit_test_setup_teardown(what_the_hub_lost_is_said, make_caches, remove_caches),
        cmocka_unit_test_setup_teardown(other_places_of_the_hub_are_known, make_caches,
                                        remove_caches),
        cmocka_unit_test_setup_teardown(ollamas_models_are_found, make_caches, remove_caches),
        cmocka_unit_test_setup_teardown(what_is_no_name_is_found_nowhere, make_caches,
                                        remove_caches),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
