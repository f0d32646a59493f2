/*
 * llama.cpp's field "samplers": which samplers are used, and in which order. Two orders exist here (request.h), so a list must be
 * part of one of them; what it does not name is off.
 */
#include <stdio.h>

#include "api/param_reader.h"
#include "api/request_json.h"

enum {
    PENALTIES = 1 << 0,
    DRY = 1 << 1,
    TEMPERATURE = 1 << 2,
    TOP_N_SIGMA = 1 << 3,
    MIN_P = 1 << 4,
    TOP_K = 1 << 5,
    TYPICAL_P = 1 << 6,
    TOP_P = 1 << 7,
    XTC = 1 << 8,
    IS_LIST = 1 << 14, /* the field was given, perhaps as an empty list */
    TEMPERATURE_LAST = 1 << 15,
    N_SAMPLERS = 9,
};

static const struct {
    const char *name;
    unsigned bit;
} names[] = {
    {"penalties", PENALTIES},
    {"dry", DRY},
    {"top_n_sigma", TOP_N_SIGMA},
    {"top_k", TOP_K},
    {"top_p", TOP_P},
    {"typ_p", TYPICAL_P},
    {"typical_p", TYPICAL_P},
    {"min_p", MIN_P},
    {"xtc", XTC},
    {"temperature", TEMPERATURE},
    {"temp", TEMPERATURE},
};

static const unsigned last_order[N_SAMPLERS] = {
    PENALTIES, DRY, TOP_N_SIGMA, TOP_K, TYPICAL_P, TOP_P, MIN_P, XTC, TEMPERATURE};
static const unsigned first_order[N_SAMPLERS] = {
    PENALTIES, DRY, TEMPERATURE, TOP_N_SIGMA, MIN_P, TOP_K, TYPICAL_P, TOP_P, XTC};

static unsigned find_bit(const json_t *value)
{
    for (size_t i = 0; json_is_string(value) && i < sizeof names / sizeof *names; i++)
        if (gol_str_is(gol_request_json_str(value), names[i].name))
            return names[i].bit;
    return 0;
}

/* All of the list in this order, each at most once; *bits says which. */
static bool is_part_of(const json_t *list, const unsigned *order, unsigned *bits)
{
    *bits = 0;
    int at = 0;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const unsigned bit = find_bit(json_array_get(list, i));
        while (at < N_SAMPLERS && order[at] != bit)
            at++;
        if (at++ >= N_SAMPLERS)
            return false;
        *bits |= bit;
    }
    return true;
}

int gol_param_read_samplers(const gol_param_reader *r, const gol_param *row, const json_t *value)
{
    if (!json_is_array(value))
        return gol_param_refuse_type(r, row->name, value, "an array of names of samplers");
    for (size_t i = 0; i < json_array_size(value); i++) {
        const json_t *item = json_array_get(value, i);
        char param[GOL_API_PARAM_MAX];
        snprintf(param, sizeof param, "samplers[%zu]", i);
        if (find_bit(item) == 0)
            return gol_param_refuse_value(
                r, "invalid_value", param, item,
                "penalties, dry, top_n_sigma, top_k, typ_p, top_p, min_p, "
                "xtc, temperature");
    }
    unsigned bits;
    if (is_part_of(value, last_order, &bits))
        bits |= TEMPERATURE_LAST;
    else if (!is_part_of(value, first_order, &bits))
        return gol_api_refuse(r->error, 400, "unsupported_parameter", row->name,
                              "samplers in this order are not supported; accepted: parts of "
                              "penalties, dry, top_n_sigma, top_k, typ_p, top_p, min_p, xtc, "
                              "temperature or of penalties, dry, temperature, top_n_sigma, min_p, "
                              "top_k, typ_p, top_p, xtc");
    r->params->samplers = bits | IS_LIST;
    return 0;
}

void gol_param_use_samplers(gol_params *params)
{
    const gol_sampling_params off = GOL_SAMPLING_DEFAULT;
    const unsigned used = params->samplers;
    gol_sampling_params *p = &params->sampling;
    gol_sampling_extras *x = &params->extras;
    if (used == 0)
        return;
    x->order = used & TEMPERATURE_LAST ? GOL_ORDER_TEMPERATURE_LAST : GOL_ORDER_TEMPERATURE_FIRST;
    if (!(used & PENALTIES)) {
        p->repetition_penalty = off.repetition_penalty;
        p->presence_penalty = off.presence_penalty;
        p->frequency_penalty = off.frequency_penalty;
    }
    if (!(used & DRY))
        x->dry_multiplier = 0.0f;
    if (!(used & TEMPERATURE)) {
        p->temperature = off.temperature;
        x->dynatemp_range = 0.0f;
    }
    if (!(used & TOP_N_SIGMA))
        x->top_n_sigma = 0.0f;
    if (!(used & MIN_P))
        p->min_p = off.min_p;
    if (!(used & TOP_K))
        p->top_k = off.top_k;
    if (!(used & TYPICAL_P))
        x->typical_p = 1.0f;
    if (!(used & TOP_P))
        p->top_p = off.top_p;
    if (!(used & XTC))
        x->xtc_probability = 0.0f;
}
