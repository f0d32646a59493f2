/* The steps of gol_config_read(), across its files. */
#ifndef GOL_MODEL_CONFIG_IMPL_H
#define GOL_MODEL_CONFIG_IMPL_H

#include "model/config.h"

/* Fails with the file's path before the message. */
int gol_config_fail(const gol_model_file *file, gol_err *err, int code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

int gol_config_fail_missing(const gol_config *config, const gol_model_file *file,
                            const char *suffix, gol_err *err);

/* ssm.*, where the file has ssm.conv_kernel; all zero otherwise. */
int gol_config_read_ssm(gol_config *config, const gol_model_file *file, gol_err *err);
/* Layer il is recurrent: its sizes fit each other, and it has no attention. */
int gol_config_check_ssm(gol_config *config, int32_t il, const gol_model_file *file, gol_err *err);

/* rope.*: everything but the kind, which the architecture decides. head_dim_k is known. */
int gol_config_read_rope(gol_config *config, const gol_model_file *file, gol_err *err);

/* What comes out behind the last layer, once the architecture has been read: the pooling of a file that names none, has_logits. */
int gol_config_set_outputs(gol_config *config, const gol_model_file *file, gol_err *err);

#endif
