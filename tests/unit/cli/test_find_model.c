/* Which model is used: named ones, ./models, the folder of the built-in model, the built-in model, and what is said when there is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/builtin_model.h"
#include "cli/find_model.h"
#include "cli/option_table.h"
#include "support/temp_dir.h"

enum { PATH_SIZE = 512 };

static temp_dir dir;            /* the working folder is dir/work */
static char program[PATH_SIZE]; /* dir/tree/build/release/gollum */
static gol_found_model found;

static const gol_command run = {"run", "", "", GOL_CMD_RUN, NULL};

/* dir/name */
static const char *below(const char *name)
{
    static char full[PATH_SIZE];
    const int n = snprintf(full, sizeof full, "%s/%s", dir.path, name);
    assert_in_range(n, 1, PATH_SIZE - 1);
    return full;
}

/* A file below dir, with the folders on its way. */
static void make_file(const char *name)
{
    char full[PATH_SIZE];
    snprintf(full, sizeof full, "%s", below(name));
    for (char *slash = strchr(full + strlen(dir.path) + 1, '/'); slash;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        (void)mkdir(full, 0700);
        *slash = '/';
    }
    temp_write_file(full, "x", 1);
}

static int make_world(void **state)
{
    (void)state;
    dir = temp_dir_create();
    make_file("tree/build/release/gollum");
    make_file("work/letter.txt");
    snprintf(program, sizeof program, "%s", below("tree/build/release/gollum"));
    return chdir(below("work"));
}

static int remove_world(void **state)
{
    (void)state;
    char command[PATH_SIZE];
    if (chdir("/") != 0)
        return 1;
    snprintf(command, sizeof command, "rm -rf '%s'", dir.path);
    return system(command);
}

/* A gollum that is installed on this machine has a built-in model, too. */
static bool is_installed_here(void)
{
    gol_builtin_places places;
    gol_builtin_places_init(&places, NULL);
    return gol_builtin_find_folder(&places) != NULL;
}

static void expect_unnamed(const char *path, gol_model_origin origin)
{
    gol_err err = {0};
    const int rc = gol_find_unnamed_model(&found, program, &err);
    if (rc != 0)
        fail_msg("%d, '%s'; expected %s", rc, err.message, path);
    assert_string_equal(found.path, path);
    assert_int_equal(found.origin, origin);
}

static void expect_unnamed_refused(int code, const char *message)
{
    gol_err err = {0};
    const int rc = gol_find_unnamed_model(&found, program, &err);
    if (rc != code || strstr(err.message, message) == NULL)
        fail_msg("%d, '%s'; expected %d, '%s'", rc, err.message, code, message);
}

static void expect_named(const char *name, const char *path, gol_model_origin origin)
{
    gol_err err = {0};
    if (gol_find_named_model(&found, name, &err) != 0)
        fail_msg("%s: %s", name, err.message);
    assert_string_equal(found.path, path);
    assert_int_equal(found.origin, origin);
}

static void a_named_model_is_taken_whether_it_is_there_or_not(void **state)
{
    (void)state;
    make_file("work/models/a.gguf");
    expect_named("letter.txt", "letter.txt", GOL_MODEL_GIVEN);
    expect_named("nowhere.gguf", "nowhere.gguf", GOL_MODEL_GIVEN);
    expect_named("models", "models/a.gguf", GOL_MODEL_FOUND);
}

static void what_is_neither_here_nor_in_a_cache_is_refused(void **state)
{
    (void)state;
    static const char *const names[] = {"nobody/nothing", "nobody/nothing:Q8_0", "nothing:1b"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        gol_err err = {0};
        assert_int_equal(gol_find_named_model(&found, names[i], &err), GOL_ENOTFOUND);
        assert_non_null(strstr(err.message, names[i]));
        assert_non_null(strstr(err.message, "caches"));
    }
    gol_err err = {0};
    assert_int_equal(gol_find_named_model(&found, "", &err), GOL_EUSAGE);
    assert_non_null(strstr(err.message, "--model: is empty"));
}

static void a_name_has_a_limit(void **state)
{
    (void)state;
    gol_err err = {0};
    char name[GOL_PATH_MAX + 1];
    memset(name, 'x', sizeof name);
    name[GOL_PATH_MAX] = '\0';
    assert_int_equal(gol_find_named_model(&found, name, &err), GOL_EUSAGE);
    name[GOL_PATH_MAX - 1] = '\0';
    expect_named(name, name, GOL_MODEL_GIVEN);
}

static void a_named_folder_gives_the_model_beside_the_built_in_one(void **state)
{
    (void)state;
    make_file("work/mine/gollum-demo.gguf");
    expect_named("mine", "mine/gollum-demo.gguf", GOL_MODEL_FOUND);
    make_file("work/mine/real.gguf");
    expect_named("mine", "mine/real.gguf", GOL_MODEL_FOUND);
}

static void the_first_model_in_name_order_is_used(void **state)
{
    (void)state;
    make_file("work/models/c.gguf");
    expect_unnamed("models/c.gguf", GOL_MODEL_SCANNED);
    assert_int_equal(found.n_models, 1);
    make_file("work/models/b-00001-of-00002.gguf");
    make_file("work/models/b-00002-of-00002.gguf");
    expect_unnamed("models/b-00001-of-00002.gguf", GOL_MODEL_SCANNED);
    assert_int_equal(found.n_models, 2);
}

static void what_is_no_model_is_passed_over(void **state)
{
    (void)state;
    make_file("work/models/.hidden.gguf");
    make_file("work/models/README.md");
    make_file("work/models/mmproj-f16.gguf");
    make_file("work/models/a-00002-of-00002.gguf");
    make_file("work/models/empty/notes.txt");
    make_file("work/models/x.gguf");
    expect_unnamed("models/x.gguf", GOL_MODEL_SCANNED);
    assert_int_equal(found.n_models, 1);
}

static void folders_of_models_count_too(void **state)
{
    (void)state;
    make_file("work/models/b/config.json");
    expect_unnamed("models/b", GOL_MODEL_SCANNED);
    make_file("work/models/a/one.gguf");
    expect_unnamed("models/a/one.gguf", GOL_MODEL_SCANNED);
    assert_int_equal(found.n_models, 2);
    make_file("work/models/a/two.gguf");
    expect_unnamed_refused(GOL_EUSAGE, "2 GGUF files, name one");
}

/* The user has put a link to a model there, and its disk is not mounted: another model would be a wrong answer. */
static void a_link_to_nothing_is_a_model_that_cannot_be_opened(void **state)
{
    (void)state;
    make_file("tree/models/gollum-demo.gguf");
    make_file("work/models/README.md");
    assert_int_equal(symlink("/nonexistent/big.gguf", "models/big.gguf"), 0);
    expect_unnamed("models/big.gguf", GOL_MODEL_SCANNED);
}

static void the_built_in_model_is_found_in_each_of_its_places_in_order(void **state)
{
    (void)state;
    static const char *const places[] = {
        "tree/models",
        "tree/build/models",
        "tree/build/release/models",
        "tree/build/share/gollum/models",
    };
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        char name[PATH_SIZE];
        snprintf(name, sizeof name, "%s/gollum-demo.gguf", places[i]);
        make_file(name);
        expect_unnamed(below(name), GOL_MODEL_BUILTIN);
    }
}

static void the_built_in_model_of_the_working_folder_is_the_last_choice(void **state)
{
    (void)state;
    if (is_installed_here())
        skip();
    make_file("work/models/gollum-demo.gguf");
    expect_unnamed("./models/gollum-demo.gguf", GOL_MODEL_BUILTIN);
    make_file("tree/models/gollum-demo.gguf");
    expect_unnamed(below("tree/models/gollum-demo.gguf"), GOL_MODEL_BUILTIN);
}

static void every_other_model_goes_before_the_built_in_one(void **state)
{
    (void)state;
    make_file("tree/models/gollum-demo.gguf");
    make_file("tree/models/zz.gguf");
    expect_unnamed(below("tree/models/zz.gguf"), GOL_MODEL_SCANNED);
    make_file("work/models/zzz.gguf");
    expect_unnamed("models/zzz.gguf", GOL_MODEL_SCANNED);
}

/* In the source tree ./models is where the built-in model lies. */
static void a_model_beside_the_built_in_one_in_the_working_folder_is_used(void **state)
{
    (void)state;
    assert_int_equal(chdir(below("tree")), 0);
    make_file("tree/models/gollum-demo.gguf");
    expect_unnamed(below("tree/models/gollum-demo.gguf"), GOL_MODEL_BUILTIN);
    make_file("tree/models/real.gguf");
    expect_unnamed("models/real.gguf", GOL_MODEL_SCANNED);
    assert_int_equal(found.n_models, 1);
}

/* "/models" belongs to whoever made it: "/usr/bin/gollum" must not take what lies there for its own. */
static void a_folder_without_the_built_in_model_is_not_searched(void **state)
{
    (void)state;
    make_file("tree/models/stranger.gguf");
    make_file("tree/build/release/models/gollum-demo.gguf");
    expect_unnamed(below("tree/build/release/models/gollum-demo.gguf"), GOL_MODEL_BUILTIN);
}

static void a_folder_of_the_built_in_models_name_is_none(void **state)
{
    (void)state;
    make_file("tree/build/share/gollum/models/gollum-demo.gguf/file");
    make_file("tree/models/gollum-demo.gguf");
    expect_unnamed(below("tree/models/gollum-demo.gguf"), GOL_MODEL_BUILTIN);
}

static void the_message_lists_where_it_was_looked_for(void **state)
{
    (void)state;
    if (is_installed_here())
        skip();
    expect_unnamed_refused(GOL_ENOTFOUND,
                           "give one with -m FILE, or put a GGUF file into ./models");
    static const char *const places[] = {
        "tree/build/share/gollum/models,",
        "tree/build/release/models,",
        "tree/build/models,",
        "tree/models,",
    };
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        expect_unnamed_refused(GOL_ENOTFOUND, below(places[i]));
    expect_unnamed_refused(GOL_ENOTFOUND, "/gollum/models, ./models");
    assert_int_equal(gol_error_exit_code(GOL_ENOTFOUND), 66);
}

/* A loop of links fails for root as missing rights do for others. */
static void a_folder_that_cannot_be_read_is_an_error(void **state)
{
    (void)state;
    make_file("tree/models/gollum-demo.gguf");
    assert_int_equal(symlink("models", "models"), 0);
    expect_unnamed_refused(GOL_EIO, "models: ");
    assert_int_equal(unlink("models"), 0);
    expect_unnamed(below("tree/models/gollum-demo.gguf"), GOL_MODEL_BUILTIN);
    if (geteuid() == 0)
        return;
    make_file("work/models/mine.gguf");
    assert_int_equal(chmod("models", 0300), 0);
    expect_unnamed_refused(GOL_EIO, "models: ");
    assert_int_equal(chmod("models", 0700), 0);
}

static void a_file_called_models_is_no_folder_of_models(void **state)
{
    (void)state;
    make_file("tree/models/gollum-demo.gguf");
    make_file("work/models");
    expect_unnamed(below("tree/models/gollum-demo.gguf"), GOL_MODEL_BUILTIN);
}

static void expect_places(const char *path, const char *const *expected, int n)
{
    gol_builtin_places places;
    gol_builtin_places_init(&places, path);
    assert_int_equal(places.n, n + 2);
    for (int i = 0; i < n; i++)
        assert_string_equal(places.folders[i], expected[i]);
    assert_true(places.folders[n][0] == '/'); /* of the prefix that the build was made for */
    assert_string_equal(places.folders[n + 1], "./models");
}

static void places_near_the_root_are_right(void **state)
{
    (void)state;
    static const char *const usr_bin[] = {"/usr/share/gollum/models", "/usr/bin/models",
                                          "/usr/models", "/models"};
    static const char *const bin[] = {"/share/gollum/models", "/bin/models", "/models"};
    static const char *const root[] = {"/share/gollum/models", "/models"};
    expect_places("/usr/bin/gollum", usr_bin, 4);
    expect_places("/bin/gollum", bin, 3);
    expect_places("/gollum", root, 2);
    expect_places(NULL, NULL, 0);
    expect_places("", NULL, 0);
    expect_places("bin/gollum", NULL, 0);
}

/* A program in a folder of so many bytes, two levels deep. */
static void init_deep_places(gol_builtin_places *places, size_t n_folder)
{
    char deep[GOL_PATH_MAX + sizeof "/g"];
    memset(deep, 'x', n_folder);
    memcpy(deep, "/a/b/", 5);
    memcpy(deep + n_folder, "/g", 3);
    gol_builtin_places_init(places, deep);
}

static void a_place_longer_than_a_path_is_left_out(void **state)
{
    (void)state;
    const size_t n_max = GOL_PATH_MAX - sizeof "/models";
    gol_builtin_places places;
    init_deep_places(&places, n_max);
    assert_int_equal(places.n, 6);
    assert_int_equal(strlen(places.folders[1]), GOL_PATH_MAX - 1);
    init_deep_places(&places, n_max + 1);
    assert_int_equal(places.n, 5);
    assert_string_equal(places.folders[0], "/a/b/share/gollum/models");
    assert_string_equal(places.folders[1], "/a/b/models");
    assert_string_equal(places.folders[2], "/a/models");
}

static void the_program_knows_its_own_path(void **state)
{
    (void)state;
    char path[GOL_PATH_MAX];
    assert_true(gol_program_path(path));
    assert_true(path[0] == '/');
    assert_int_equal(access(path, X_OK), 0);
}

static void the_environment_names_a_model(void **state)
{
    (void)state;
    gol_settings settings;
    gol_err err = {0};
    char name[] = "run";
    char *argv[] = {name, NULL};
    char path[GOL_PATH_MAX];
    make_file("work/models/a.gguf");
    make_file("work/other.gguf");
    setenv("GOLLUM_MODEL", "other.gguf", 1);
    assert_int_equal(gol_settings_parse(&settings, &run, 1, argv, &err), 0);
    assert_int_equal(gol_cli_find_model(&settings, path, &err), 0);
    assert_string_equal(path, "other.gguf");
    gol_settings_deinit(&settings);
    setenv("GOLLUM_MODEL", "", 1); /* as if it were not there */
    assert_int_equal(gol_settings_parse(&settings, &run, 1, argv, &err), 0);
    assert_int_equal(gol_cli_find_model(&settings, path, &err), 0);
    assert_string_equal(path, "models/a.gguf");
    gol_settings_deinit(&settings);
    unsetenv("GOLLUM_MODEL");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_world, remove_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_named_model_is_taken_whether_it_is_there_or_not),
        TEST(what_is_neither_here_nor_in_a_cache_is_refused),
        TEST(a_name_has_a_limit),
        TEST(a_named_folder_gives_the_model_beside_the_built_in_one),
        TEST(the_first_model_in_name_order_is_used),
        TEST(what_is_no_model_is_passed_over),
        TEST(folders_of_models_count_too),
        TEST(a_link_to_nothing_is_a_model_that_cannot_be_opened),
        TEST(the_built_in_model_is_found_in_each_of_its_places_in_order),
        TEST(the_built_in_model_of_the_working_folder_is_the_last_choice),
        TEST(every_other_model_goes_before_the_built_in_one),
        TEST(a_model_beside_the_built_in_one_in_the_working_folder_is_used),
        TEST(a_folder_without_the_built_in_model_is_not_searched),
        TEST(a_folder_of_the_built_in_models_name_is_none),
        TEST(the_message_lists_where_it_was_looked_for),
        TEST(a_folder_that_cannot_be_read_is_an_error),
        TEST(a_file_called_models_is_no_folder_of_models),
        TEST(places_near_the_root_are_right),
        TEST(a_place_longer_than_a_path_is_left_out),
        TEST(the_program_knows_its_own_path),
        TEST(the_environment_names_a_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
