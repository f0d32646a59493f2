/* All families, found by the class name in config.json. */
#include "formats/hf/hf_model.h"

static const gol_hf_family *const families[] = {
    gol_hf_families_llama,
    gol_hf_families_gpt2,
};

enum { N_FAMILIES = sizeof families / sizeof *families };

const gol_hf_family *gol_hf_family_find(gol_str class_name)
{
    for (int i = 0; i < N_FAMILIES; i++) {
        for (const gol_hf_family *f = families[i]; f->class_name; f++) {
            if (gol_str_is(class_name, f->class_name))
                return f;
        }
    }
    return NULL;
}
