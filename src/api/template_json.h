/* JSON as values for chat templates. */
#ifndef GOL_API_TEMPLATE_JSON_H
#define GOL_API_TEMPLATE_JSON_H

#include <jansson.h>

#include "base/error.h"
#include "text/template/jvalue.h"

/* The same value in j; texts are viewed: the JSON must outlive j. 0 or a negative code with j->err filled. */
int gol_template_json_value(gol_jinja *j, gol_jvalue *out, const json_t *json);

/* The same for a whole text, which must be a JSON object: copied into j. Errors: GOL_EINVAL (no JSON), GOL_ENOMEM. */
int gol_template_json_parse(gol_jinja *j, gol_jvalue *out, gol_str text, gol_err *err);

#endif
