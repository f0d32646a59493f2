/* The tables of `gollum quantize --dry-run` and `--stats`. */
#include <inttypes.h>
#include <math.h>

#include "cli/model_facts.h"
#include "cli/quantize_plan.h"

enum { NAME_MAX_SHOWN = 64, SHAPE_SIZE = 96 };

static const char *type_name(gol_type type)
{
    return gol_type_get(type)->name;
}

static const char *format_shape(char buf[static SHAPE_SIZE], const gol_tensor *t)
{
    int n = snprintf(buf, SHAPE_SIZE, "%" PRIu64, t->shape[0]);
    for (int d = 1; d < t->n_dims; d++)
        n += snprintf(buf + n, SHAPE_SIZE - (size_t)n, " x %" PRIu64, t->shape[d]);
    return buf;
}

static int widest_name(const gol_quantize_plan *plan)
{
    size_t width = 6;
    for (size_t i = 0; i < plan->n; i++)
        width = plan->tensors[i].source->name.len > width ? plan->tensors[i].source->name.len
                                                          : width;
    return width < NAME_MAX_SHOWN ? (int)width : NAME_MAX_SHOWN;
}

static void print_row_start(FILE *out, int width, const gol_quantize_tensor *t)
{
    char name[NAME_MAX_SHOWN + 1];
    char shape[SHAPE_SIZE];
    fprintf(out, "%-*s  %-16s  %-7s  %-7s", width, gol_quote(name, sizeof name, t->source->name),
            format_shape(shape, t->source), type_name(t->source->type), type_name(t->to));
}

static double bits_per_weight(const gol_quantize_plan *plan)
{
    return plan->n_elements > 0 ? 8.0 * (double)plan->n_bytes_to / (double)plan->n_elements : 0;
}

void gol_quantize_print_plan(FILE *out, const gol_quantize_plan *plan)
{
    const int width = widest_name(plan);
    fprintf(out, "%-*s  %-16s  %-7s  %-7s  %12s\n", width, "tensor", "shape", "from", "to",
            "bytes");
    for (size_t i = 0; i < plan->n; i++) {
        const gol_quantize_tensor *t = &plan->tensors[i];
        print_row_start(out, width, t);
        fprintf(out, "  %12" PRIu64 "%s%s\n", t->n_bytes,
                t->to != t->wanted ? "  rows are no whole blocks of " : "",
                t->to != t->wanted ? type_name(t->wanted) : "");
    }
    char before[32];
    char after[32];
    fprintf(out, "total: %s of tensors become %s (%s), %.2f bits per weight\n",
            gol_format_bytes(before, plan->n_bytes_from), gol_format_bytes(after, plan->n_bytes_to),
            plan->mix ? plan->mix->name : "as stored", bits_per_weight(plan));
}

void gol_quantize_print_errors(FILE *out, const gol_quantize_plan *plan)
{
    const int width = widest_name(plan);
    double sum_squares = 0;
    uint64_t n_elements = 0;
    float error_max = 0;
    fprintf(out, "%-*s  %-16s  %-7s  %-7s  %11s  %11s\n", width, "tensor", "shape", "from", "to",
            "RMS error", "max error");
    for (size_t i = 0; i < plan->n; i++) {
        const gol_quantize_tensor *t = &plan->tensors[i];
        print_row_start(out, width, t);
        fprintf(out, "  %11.4e  %11.4e\n", sqrt(t->sum_squares / (double)t->source->n_elements),
                (double)t->error_max);
        if (!gol_quantize_changes(t))
            continue;
        sum_squares += t->sum_squares;
        n_elements += t->source->n_elements;
        error_max = t->error_max > error_max ? t->error_max : error_max;
    }
    fprintf(out, "total: RMS error %.4e, max error %.4e over %" PRIu64 " converted weights\n",
            n_elements > 0 ? sqrt(sum_squares / (double)n_elements) : 0.0, (double)error_max,
            n_elements);
}
