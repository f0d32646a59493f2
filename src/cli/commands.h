/* The commands, one file each. They return the process's exit code; stdout carries the answer alone. */
#ifndef GOL_CLI_COMMANDS_H
#define GOL_CLI_COMMANDS_H

#include "cli/settings.h"

int gol_cmd_serve(const gol_settings *settings);
int gol_cmd_run(const gol_settings *settings);
int gol_cmd_chat(const gol_settings *settings);
int gol_cmd_tokenize(const gol_settings *settings);
int gol_cmd_template(const gol_settings *settings);
int gol_cmd_detokenize(const gol_settings *settings);
int gol_cmd_embed(const gol_settings *settings);
int gol_cmd_rerank(const gol_settings *settings);
int gol_cmd_logits(const gol_settings *settings);
int gol_cmd_inspect(const gol_settings *settings);
int gol_cmd_plan(const gol_settings *settings);
int gol_cmd_verify(const gol_settings *settings);
int gol_cmd_quantize(const gol_settings *settings);
int gol_cmd_convert(const gol_settings *settings); /* in cmd_quantize.c */
int gol_cmd_info(const gol_settings *settings);
int gol_cmd_bench(const gol_settings *settings);

#endif
