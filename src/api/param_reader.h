/* What the files that read request fields share. */
#ifndef GOL_API_PARAM_READER_H
#define GOL_API_PARAM_READER_H

#include <jansson.h>

#include "api/param_table.h"
#include "api/params.h"

typedef struct gol_param_reader {
    gol_params *params;
    const json_t *root;
    const gol_params_limits *limits;
    gol_api_error *error;
} gol_param_reader;

/* Where a field's value goes. */
static inline void *gol_param_field(const gol_param_reader *r, const gol_param *row)
{
    return (char *)r->params + row->offset;
}

/* "PARAM is VALUE; accepted: ACCEPTED". Both return an error. (param_lists.c) */
int gol_param_refuse_value(const gol_param_reader *r, const char *code, const char *param,
                           const json_t *value, const char *accepted);
int gol_param_refuse_type(const gol_param_reader *r, const char *param, const json_t *value,
                          const char *accepted);

/* An array of token ids into ids [n_max]. Returns how many, or an error. */
int gol_param_read_ids(const gol_param_reader *r, const char *name, const json_t *value,
                       int32_t *ids, size_t n_max);

/* The fields that are lists. */
int gol_param_read_logit_bias(const gol_param_reader *r, const gol_param *row, const json_t *value);
int gol_param_read_allowed(const gol_param_reader *r, const gol_param *row, const json_t *value);
int gol_param_read_words(const gol_param_reader *r, const gol_param *row, const json_t *value);

/* llama.cpp's "samplers", and what it means once all fields are read. (param_samplers.c) */
int gol_param_read_samplers(const gol_param_reader *r, const gol_param *row, const json_t *value);
void gol_param_use_samplers(gol_params *params);

#endif
