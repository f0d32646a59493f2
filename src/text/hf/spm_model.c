/*
 * Reading tokenizer.model: see the header. Protocol buffers are a row of fields, each a tag (number and wire type) and a value; unknown
 * ones are skipped by their wire type. All bytes pass one cursor.
 */
#include "text/hf/spm_model.h"

#include <string.h>

#include "base/cursor.h"
#include "base/mem.h"
#include "text/vocab.h"

typedef enum wire_type { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_BYTES = 2, WIRE_32 = 5 } wire_type;

typedef struct proto_field {
    uint32_t number;
    wire_type wire;
    uint64_t number_value; /* varint, 32 or 64 bits */
    gol_str bytes;
} proto_field;

static uint64_t read_varint(gol_cursor *c)
{
    uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
        const uint8_t byte = gol_cursor_u8(c);
        value |= (uint64_t)(byte & 0x7F) << shift;
        if ((byte & 0x80) == 0)
            return value;
    }
    c->failed = true; /* over ten bytes */
    return 0;
}

/* 1, 0 at the end, GOL_EMODEL. */
static int next_field(gol_cursor *c, proto_field *out, gol_err *err)
{
    if (gol_cursor_left(c) == 0 && !c->failed)
        return 0;
    const size_t start = c->pos;
    const uint64_t tag = read_varint(c);
    *out = (proto_field){.number = (uint32_t)(tag >> 3), .wire = (wire_type)(tag & 7)};
    switch (out->wire) {
    case WIRE_VARINT:
        out->number_value = read_varint(c);
        break;
    case WIRE_32:
        out->number_value = gol_cursor_u32(c);
        break;
    case WIRE_64:
        out->number_value = gol_cursor_u64(c);
        break;
    case WIRE_BYTES: {
        const uint64_t n = read_varint(c);
        const void *bytes = gol_cursor_bytes(c, n);
        if (bytes != NULL)
            out->bytes = (gol_str){bytes, (size_t)n};
        break;
    }
    default:
        c->failed = true;
        break;
    }
    if (c->failed)
        return gol_fail(err, GOL_EMODEL, "tokenizer.model: a broken field at byte %zu of %zu",
                        start, c->size);
    return 1;
}

static int parse_piece(gol_spm_piece *piece, gol_str bytes, gol_err *err)
{
    gol_cursor c = gol_cursor_from(bytes.data, bytes.len);
    proto_field field;
    *piece = (gol_spm_piece){.type = GOL_TOKEN_NORMAL};
    int rc = next_field(&c, &field, err);
    for (; rc == 1; rc = next_field(&c, &field, err)) {
        if (field.number == 1 && field.wire == WIRE_BYTES) {
            piece->text = field.bytes;
        } else if (field.number == 2 && field.wire == WIRE_32) {
            const uint32_t bits = (uint32_t)field.number_value;
            memcpy(&piece->score, &bits, sizeof bits);
        } else if (field.number == 3 && field.wire == WIRE_VARINT) {
            if (field.number_value < 1 || field.number_value >= GOL_TOKEN_N_TYPES)
                return gol_fail(err, GOL_EMODEL, "tokenizer.model: a piece of type %llu",
                                (unsigned long long)field.number_value);
            piece->type = (int32_t)field.number_value;
        }
    }
    return rc;
}

static int parse_trainer(gol_spm_model *model, gol_str bytes, gol_err *err)
{
    gol_cursor c = gol_cursor_from(bytes.data, bytes.len);
    proto_field field;
    int rc = next_field(&c, &field, err);
    for (; rc == 1; rc = next_field(&c, &field, err)) {
        if (field.wire != WIRE_VARINT)
            continue;
        const int64_t value = (int32_t)(uint32_t)field.number_value;
        switch (field.number) {
        case 3:
            model->kind = (int32_t)value;
            break;
        case 24:
            model->suffixes_space = value != 0;
            break;
        case 35:
            model->byte_fallback = value != 0;
            break;
        case 40:
            model->unk = value;
            break;
        case 41:
            model->bos = value;
            break;
        case 42:
            model->eos = value;
            break;
        default:
            break;
        }
    }
    return rc;
}

static int parse_normalizer(gol_spm_model *model, gol_str bytes, gol_err *err)
{
    gol_cursor c = gol_cursor_from(bytes.data, bytes.len);
    proto_field field;
    int rc = next_field(&c, &field, err);
    for (; rc == 1; rc = next_field(&c, &field, err)) {
        const bool value = field.number_value != 0;
        if (field.number == 2 && field.wire == WIRE_BYTES)
            model->charsmap = field.bytes;
        else if (field.number == 3 && field.wire == WIRE_VARINT)
            model->adds_space = value;
        else if (field.number == 4 && field.wire == WIRE_VARINT)
            model->removes_extra_spaces = value;
        else if (field.number == 5 && field.wire == WIRE_VARINT)
            model->escapes_spaces = value;
    }
    return rc;
}

/* pieces NULL: only counts them. */
static int parse_fields(gol_spm_model *model, gol_str bytes, gol_err *err)
{
    gol_cursor c = gol_cursor_from(bytes.data, bytes.len);
    proto_field field;
    size_t n = 0;
    int rc = next_field(&c, &field, err);
    for (; rc == 1; rc = next_field(&c, &field, err)) {
        int parsed = 0;
        if (field.wire != WIRE_BYTES)
            continue;
        if (field.number == 1 && model->pieces != NULL)
            parsed = parse_piece(&model->pieces[n], field.bytes, err);
        else if (field.number == 2)
            parsed = parse_trainer(model, field.bytes, err);
        else if (field.number == 3)
            parsed = parse_normalizer(model, field.bytes, err);
        n += field.number == 1;
        if (parsed != 0)
            return parsed;
    }
    model->n = n;
    return rc;
}

int gol_spm_model_parse(gol_spm_model *model, gol_str bytes, gol_err *err)
{
    *model = (gol_spm_model){.kind = GOL_SPM_UNIGRAM,
                             .unk = 0,
                             .bos = 1,
                             .eos = 2,
                             .adds_space = true,
                             .removes_extra_spaces = true,
                             .escapes_spaces = true};
    int rc = parse_fields(model, bytes, err);
    if (rc != 0)
        return rc;
    if (model->n < 1 || model->n > GOL_VOCAB_TOKENS_MAX)
        return gol_fail(err, GOL_EMODEL, "tokenizer.model: %zu pieces, 1 to %d are accepted",
                        model->n, GOL_VOCAB_TOKENS_MAX);
    model->pieces = gol_try_calloc(model->n, sizeof *model->pieces);
    if (model->pieces == NULL)
        return gol_fail(err, GOL_ENOMEM, "tokenizer.model: out of memory");
    rc = parse_fields(model, bytes, err);
    if (rc != 0)
        gol_spm_model_deinit(model);
    return rc;
}

void gol_spm_model_deinit(gol_spm_model *model)
{
    gol_free(model->pieces);
    *model = (gol_spm_model){0};
}
