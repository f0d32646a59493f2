/* All families, found by the class name in config.json. */
#include "formats/hf/hf_model.h"

static const gol_hf_family *const families[] = {
    gol_hf_families_llama,   gol_hf_families_gpt2,    gol_hf_families_gemma,
    gol_hf_families_granite, gol_hf_families_fused,   gol_hf_families_layer_norm,
    gol_hf_families_mamba,   gol_hf_families_gpt_oss, gol_hf_families_bert,
    gol_hf_families_nomic,
};

enum { N_FAMILIES = sizeof families / sizeof *families };

const gol_hf_family *gol_hf_family_find(gol_hf *hf, gol_str class_name)
{
    for (int i = 0; i < N_FAMILIES; i++) {
        for (const gol_hf_family *f = families[i]; f->class_name; f++) {
            if (gol_str_is(class_name, f->class_name) && (!f->is_model || f->is_model(hf)))
                return f;
        }
    }
    return NULL;
}
